//! HTLC events: of what is forwarded only, for what is sent and received is in the lists of payments and invoices.

use super::decoder::Strange;
use super::failures::{reason, word};
use super::forwards::{End, Forward, Forwards, Htlc};
use crate::snapshot::{FailedForward, FailureReason};
use crate::sources::reader::check::{Bad, msat};
use crate::sources::reader::wire::{Malformed, fields};
use crate::sources::streams::Seen;
use crate::units::{Msat, Scid, UnixMs};

/// What LND calls a failure further down the route, of which it tells nothing more.
const FAILED_DOWNSTREAM: &str = "FORWARD_FAIL";
/// The same where it was not seen to leave, so that its amounts are not known.
const FAILED_UNSEEN: &str = "FORWARD_FAIL of a forward that was not seen to leave";
/// What was in flight and is done with, though its failure was not told.
const DONE_WITH: &str = "FINAL_HTLC";

/// The fields of an `HtlcEvent`.
#[derive(Default)]
struct Event<'a> {
    scid_in: u64,
    scid_out: u64,
    htlc_in: u64,
    at_ns: u64,
    kind: u64,
    /// The number of the part that says what happened, and the part.
    what: Option<(u64, &'a [u8])>,
    /// The first part that is not known.
    strange: Option<u64>,
}

impl<'a> Event<'a> {
    fn of(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut event = Self::default();
        for field in fields(message) {
            let field = field?;
            let number = field.number_value();
            match field.number {
                1 => event.scid_in = number,
                2 => event.scid_out = number,
                3 => event.htlc_in = number,
                // The number of the HTLC that left.
                4 => {}
                5 => event.at_ns = number,
                6 => event.kind = number,
                what @ 7..=12 => event.what = Some((what, field.bytes())),
                other => {
                    event.strange.get_or_insert(other);
                }
            }
        }
        Ok(event)
    }

    const fn htlc(&self) -> Htlc {
        Htlc { scid: Scid(self.scid_in), number: self.htlc_in }
    }

    fn at_ns(&self) -> Result<i64, Bad> {
        i64::try_from(self.at_ns).map_err(|_| Bad::new(format_args!("time {}", self.at_ns)))
    }

    fn failed(&self, forward: Forward, reason: FailureReason, detail: String) -> Result<Seen, Strange> {
        let Forward { scid_out, amount_in, amount_out } = forward;
        let (at_ns, scid_in, htlc_in) = (self.at_ns()?, Scid(self.scid_in), self.htlc_in);
        let forward = FailedForward { at_ns, scid_in, htlc_in, scid_out, amount_in, amount_out, reason };
        Ok(Seen::Failed { forward, detail })
    }
}

/// What an `HtlcEvent` tells, given the forwards that are in flight.
pub(super) fn read(message: &[u8], at: UnixMs, forwards: &mut Forwards) -> Result<Option<Seen>, Strange> {
    let event = Event::of(message)?;
    let Some((what, part)) = event.what else { return Err(Strange::part("HtlcEvent", event.strange)) };
    match (what, event.kind) {
        // LND has subscribed us. Or a payment of our own, or one to us.
        (11, _) | (7..=10, 1 | 2) => Ok(None),
        (12, _) => done_with(&event, part, forwards),
        (7, 3) => {
            let carried = carried(info(part)?)?;
            forwards.left(event.htlc(), Forward { scid_out: Scid(event.scid_out), ..carried }, at);
            Ok(None)
        }
        (8, 3) => failed_downstream(&event, forwards),
        (9, 3) => settled(&event, forwards),
        (10, 3) => failed_here(&event, part, forwards),
        (_, other) => Err(Strange(format!("HtlcEvent event_type {other}"))),
    }
}

fn settled(event: &Event<'_>, forwards: &mut Forwards) -> Result<Option<Seen>, Strange> {
    let at_ns = event.at_ns()?;
    Ok((forwards.ended(event.htlc()) != End::Again).then_some(Seen::Settled { at_ns }))
}

fn failed_downstream(event: &Event<'_>, forwards: &mut Forwards) -> Result<Option<Seen>, Strange> {
    let (forward, detail) = match forwards.ended(event.htlc()) {
        End::Again => return Ok(None),
        End::Of(forward) => (forward, FAILED_DOWNSTREAM),
        End::OfUnseen => {
            let scid_out = Scid(event.scid_out);
            (Forward { scid_out, amount_in: Msat::ZERO, amount_out: Msat::ZERO }, FAILED_UNSEEN)
        }
    };
    event.failed(forward, FailureReason::Downstream, detail.to_owned()).map(Some)
}

/// Both sides have forgotten what came in. That ends what is still in flight: on the chain, or while we did not watch.
fn done_with(event: &Event<'_>, part: &[u8], forwards: &mut Forwards) -> Result<Option<Seen>, Strange> {
    let mut settles = false;
    for field in fields(part) {
        let field = field?;
        settles |= field.number == 1 && field.number_value() != 0;
    }
    if !forwards.is_in_flight(event.htlc()) {
        return Ok(None);
    }
    if settles {
        return settled(event, forwards);
    }
    match forwards.ended(event.htlc()) {
        End::Of(forward) => event.failed(forward, FailureReason::Downstream, DONE_WITH.to_owned()).map(Some),
        End::OfUnseen | End::Again => Ok(None),
    }
}

/// A `LinkFailEvent`.
fn failed_here(event: &Event<'_>, part: &[u8], forwards: &mut Forwards) -> Result<Option<Seen>, Strange> {
    let (mut info, mut code, mut detail): (&[u8], u64, u64) = (&[], 0, 0);
    for field in fields(part) {
        let field = field?;
        match field.number {
            1 => info = field.bytes(),
            2 => code = field.number_value(),
            3 => detail = field.number_value(),
            _ => {}
        }
    }
    let carried = Forward { scid_out: Scid(event.scid_out), ..carried(info)? };
    let forward = match forwards.ended(event.htlc()) {
        End::Again => return Ok(None),
        // Of an HTLC that a channel did not take, LND tells no amounts here.
        End::Of(left) if carried.amount_in == Msat::ZERO => left,
        End::Of(_) | End::OfUnseen => carried,
    };
    event.failed(forward, reason(code, detail), word(code, detail)).map(Some)
}

/// The `HtlcInfo` of what left.
fn info(part: &[u8]) -> Result<&[u8], Malformed> {
    fields(part)
        .find(|field| !matches!(field, Ok(field) if field.number != 1))
        .map_or(Ok(&[]), |field| Ok(field?.bytes()))
}

/// An `HtlcInfo`. What was to leave is not told where we could not read on; and no more can leave than came, whatever a
/// sender asks for.
fn carried(info: &[u8]) -> Result<Forward, Strange> {
    let (mut came, mut leaves) = (0, 0);
    for field in fields(info) {
        let field = field?;
        match field.number {
            3 => came = field.number_value(),
            4 => leaves = field.number_value(),
            _ => {}
        }
    }
    let leaves = if leaves == 0 { came } else { leaves.min(came) };
    Ok(Forward { scid_out: Scid(0), amount_in: msat("amount", came)?, amount_out: msat("amount", leaves)? })
}
