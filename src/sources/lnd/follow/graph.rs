//! Policies of the node's own channels, picked out of what it learns of the whole network: thousands a minute.

use prost::Message as _;
use tonic_lnd::lnrpc::RoutingPolicy;

use super::channels::{outpoint, text};
use super::decoder::Strange;
use crate::sources::reader::check::{Bad, pubkey};
use crate::sources::reader::policies::policy;
use crate::sources::reader::wire::fields;
use crate::sources::streams::Seen;
use crate::units::{Pubkey, UnixMs};

/// What a `GraphTopologyUpdate` tells of the channels of `own`.
pub(super) fn read(message: &[u8], at: UnixMs, own: &Pubkey, told: &mut Vec<Seen>) -> Result<(), Strange> {
    let (mut known, mut strange) = (false, None);
    for field in fields(message) {
        let field = field?;
        match field.number {
            // Nodes, and channels that were closed: of our own, the stream of channels tells.
            1 | 3 => known = true,
            2 => {
                known = true;
                match edge(field.bytes(), at, own) {
                    Ok(seen) => told.extend(seen),
                    // One side that is wrong hides no other.
                    Err(strange) => told.push(strange.seen(at, field.bytes())),
                }
            }
            other => {
                strange.get_or_insert(other);
            }
        }
    }
    if known { Ok(()) } else { Err(Strange::part("GraphTopologyUpdate", strange)) }
}

/// One side of a channel, if the channel is ours.
fn edge(message: &[u8], at: UnixMs, own: &Pubkey) -> Result<Option<Seen>, Strange> {
    let (mut point, mut announced) = (None, None);
    let (mut by, mut other): (&[u8], &[u8]) = (&[], &[]);
    for field in fields(message) {
        let field = field?;
        match field.number {
            2 => point = Some(field.bytes()),
            4 => announced = Some(field.bytes()),
            5 => by = field.bytes(),
            6 => other = field.bytes(),
            _ => {}
        }
    }
    let own = own.as_str().as_bytes();
    if by != own && other != own {
        return Ok(None);
    }
    let announced = announced.ok_or_else(|| Bad::new("announcement without a policy"))?;
    let mut policy = policy(&RoutingPolicy::decode(announced)?)?;
    // LND leaves the time out here.
    if policy.updated_at == UnixMs(0) {
        policy.updated_at = at;
    }
    Ok(Some(Seen::Policy { at, point: outpoint(point.unwrap_or_default())?, by: pubkey(text(by)?)?, policy }))
}
