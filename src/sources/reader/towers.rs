//! The watchtower client: `wtclientrpc`'s two answers, of which only what is used is named.

use prost::Message;

use super::check::{Bad, Check, parse};
use crate::snapshot::{Tower, Towers};

/// The answer to `Stats`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(in crate::sources) struct Stats {
    #[prost(uint32, tag = "1")]
    pub(in crate::sources) backups: u32,
    #[prost(uint32, tag = "2")]
    pub(in crate::sources) pending_backups: u32,
    #[prost(uint32, tag = "3")]
    pub(in crate::sources) failed_backups: u32,
    #[prost(uint32, tag = "4")]
    pub(in crate::sources) sessions_acquired: u32,
    #[prost(uint32, tag = "5")]
    pub(in crate::sources) sessions_exhausted: u32,
}

/// The answer to `ListTowers`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(in crate::sources) struct List {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::sources) towers: Vec<Row>,
}

/// One tower. Older LNDs have one kind of sessions and tell it in the tower itself.
#[derive(Clone, PartialEq, Eq, Message)]
pub(in crate::sources) struct Row {
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::sources) pubkey: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub(in crate::sources) candidate: bool,
    #[prost(uint32, tag = "4")]
    pub(in crate::sources) sessions: u32,
    #[prost(message, repeated, tag = "6")]
    pub(in crate::sources) kinds: Vec<Kind>,
}

/// The sessions of one kind (legacy, anchor, taproot) with one tower.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(in crate::sources) struct Kind {
    #[prost(bool, tag = "1")]
    pub(in crate::sources) candidate: bool,
    #[prost(uint32, tag = "2")]
    pub(in crate::sources) sessions: u32,
}

/// Both answers as one.
pub(super) fn towers(stats: &Stats, list: &List, check: &mut Check) -> Towers {
    Towers {
        backups: stats.backups,
        pending_backups: stats.pending_backups,
        failed_backups: stats.failed_backups,
        sessions_acquired: stats.sessions_acquired,
        sessions_exhausted: stats.sessions_exhausted,
        towers: list.towers.iter().filter_map(|row| check.keep(tower(row))).collect(),
    }
}

fn tower(row: &Row) -> Result<Tower, Bad> {
    let of_kinds = row.kinds.iter().fold(0_u32, |sum, kind| sum.saturating_add(kind.sessions));
    let (candidate, sessions) = if row.kinds.is_empty() {
        (row.candidate, row.sessions)
    } else {
        (row.kinds.iter().any(|kind| kind.candidate), of_kinds)
    };
    Ok(Tower { pubkey: parse(&hex::encode(&row.pubkey))?, candidate, sessions })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As LND writes it: `(field << 3 | kind)`, then the value.
    fn decoded<T: Message + Default>(bytes: &[u8]) -> T {
        T::decode(bytes).unwrap()
    }

    #[test]
    fn both_answers_are_read_by_their_field_numbers() {
        let stats: Stats = decoded(&[0x08, 7, 0x10, 2, 0x18, 1, 0x20, 3, 0x28, 4]);
        let mut tower = vec![0x0a, 33, 2];
        tower.extend([9; 32]);
        // An address, the old fields, and two kinds: one that is no candidate with 5 sessions, one that is with 6.
        tower.extend([0x12, 1, b'x', 0x18, 0, 0x20, 77, 0x32, 2, 0x10, 5, 0x32, 6, 0x08, 1, 0x10, 6, 0x20, 1]);
        let mut list = vec![0x0a, u8::try_from(tower.len()).unwrap()];
        list.extend(tower);
        let mut check = Check::new("towers");
        let seen = towers(&stats, &decoded(&list), &mut check);
        assert_eq!((seen.backups, seen.pending_backups, seen.failed_backups), (7, 2, 1));
        assert_eq!((seen.sessions_acquired, seen.sessions_exhausted), (3, 4));
        let pubkey = format!("02{}", "09".repeat(32)).parse().unwrap();
        assert_eq!(seen.towers, [Tower { pubkey, candidate: true, sessions: 11 }]);
        assert_eq!(check.gap("lnd"), None);
    }

    #[test]
    fn an_older_lnd_tells_of_one_kind_and_a_tower_without_a_key_is_left_out() {
        let good = Row { pubkey: [vec![3], vec![1; 32]].concat(), candidate: true, sessions: 4, kinds: Vec::new() };
        let list = List { towers: vec![good, Row { pubkey: vec![1, 2], ..Row::default() }] };
        let mut check = Check::new("towers");
        let seen = towers(&Stats::default(), &list, &mut check);
        assert_eq!(seen.towers.len(), 1);
        assert_eq!((seen.towers[0].candidate, seen.towers[0].sessions), (true, 4));
        assert!(check.gap("lnd").unwrap().reason.starts_with("1 of 2 rows left out"));
    }
}
