//! Who runs a copy of a node, and what it earns with them.

use daznode::snapshot::{Events, Forward};
use daznode::sources::simulated::{Sim, SimAct, SimChannel, Totals};
use daznode::units::Msat;

use crate::baselines::{FEE_TABLE, Lane, Memory, NewFee, PROPORTIONAL};

/// Somebody who does one thing every morning, whatever the reports say.
#[derive(Clone, Debug)]
pub enum Operator {
    /// Nothing at all.
    Nothing,
    /// charge-lnd's proportional policy.
    Proportional,
    /// `LNDg`'s automatic fees.
    FeeTable(Memory),
}

impl Operator {
    /// Lets a copy of the node live so long under this operator.
    pub fn live(mut self, mut sim: Sim, days: u32) -> Sim {
        for _ in 0..days {
            self.morning(&mut sim);
            sim.live_day();
        }
        sim
    }

    fn morning(&mut self, sim: &mut Sim) {
        let (events, watched) = (sim.take_events(), sim.take_watched());
        let fees = match self {
            Self::Nothing => Vec::new(),
            Self::Proportional => PROPORTIONAL.fees(&lanes(sim)),
            Self::FeeTable(memory) => {
                let now_ns = sim.now().nanos();
                memory.add(forwards(events), watched.failures, now_ns);
                FEE_TABLE.fees(&lanes(sim), memory, now_ns)
            }
        };
        for NewFee { point, rate, base } in fees {
            sim.do_act(&SimAct::SetFee { point, ppm: rate, base });
        }
    }
}

fn forwards(events: Vec<Events>) -> impl Iterator<Item = Forward> {
    events.into_iter().flat_map(|page| match page {
        Events::Forwards(forwards) => forwards,
        Events::Payments(_) | Events::Invoices(_) | Events::Transactions(_) => Vec::new(),
    })
}

/// The channels that a program sets fees of: those that can be used now.
fn lanes(sim: &Sim) -> Vec<Lane> {
    sim.channels().into_iter().filter(|channel| channel.active).map(lane).collect()
}

fn lane(channel: SimChannel) -> Lane {
    Lane {
        point: channel.point,
        scid: channel.scid,
        peer: channel.peer,
        capacity: channel.capacity,
        local: channel.local.floor_sat(),
        remote: channel.remote.floor_sat(),
        rate: channel.ppm,
        base: channel.base,
    }
}

/// What was earned less what was paid between two moments of one node. Sats that lie elsewhere than before are neither:
/// every copy owns what all began with, more or less by this.
pub fn net(from: &Totals, to: &Totals) -> Msat {
    to.net() - from.net()
}
