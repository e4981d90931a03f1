//! Known weaknesses of LND by version.
//!
//! Each row cites what was read for it: a disclosure or LND's own release notes. What can't be cited is not here. The
//! table is of one day, [`AS_OF`]; the rule that reads it says so, and is silent once the table is too old to trust.

use crate::units::Day;

/// The day of the newest LND sources and disclosures that the table rests on.
pub(super) const AS_OF: Day = Day(jiff::civil::date(2026, 8, 20));

/// A version of LND. A candidate comes before the release that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    line: (u32, u32),
    patch: u32,
    /// The number of a release candidate, the largest number for the release itself.
    candidate: u32,
}

impl Version {
    /// A release.
    const fn release(first: u32, line: u32, patch: u32) -> Self {
        Self { line: (first, line), patch, candidate: u32::MAX }
    }

    /// Reads `0.18.3-beta`, `v0.19.0-beta.rc1`, `0.21.99-beta commit=…`; `None` for what is no version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let word = text.split_whitespace().next()?;
        let word = word.strip_prefix('v').unwrap_or(word);
        let end = word.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(word.len());
        let (numbers, rest) = word.split_at_checked(end)?;
        let mut numbers = numbers.split('.').map(|n| n.parse::<u32>().ok());
        let (first, line) = (numbers.next()??, numbers.next()??);
        let patch = numbers.next().unwrap_or(Some(0))?;
        if numbers.next().is_some() {
            return None;
        }
        let candidate = match rest.split_once("rc") {
            Some((_, number)) => number.parse().ok()?,
            None => u32::MAX,
        };
        Some(Self { line: (first, line), patch, candidate })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.line.0, self.line.1, self.patch)
    }
}

/// What a weakness can cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    /// Somebody can take or destroy funds.
    Funds,
    /// Somebody can stop the node.
    Outage,
}

/// One weakness.
#[derive(Debug)]
pub(super) struct Advisory {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it can cost.
    pub(super) harm: Harm,
    /// The first release without it, of each line that got one, oldest first.
    fixed: &'static [Version],
    /// What was read for it.
    pub(super) source: &'static str,
}

impl Advisory {
    /// The release that removes it for a version that has it; `None` for one that does not.
    pub(super) fn fix_for(&self, version: Version) -> Option<Version> {
        match self.fixed.iter().find(|fix| fix.line == version.line) {
            Some(fix) => (version < *fix).then_some(*fix),
            // A line that got no fix: it has the weakness where it is older than all that did.
            None => self.fixed.first().filter(|fix| version < **fix).copied(),
        }
    }
}

/// All that are known, newest first.
pub(super) static ADVISORIES: [Advisory; 13] = [
    Advisory {
        name: "unbounded memory while the channel graph is synced from a peer",
        harm: Harm::Outage,
        fixed: &[Version::release(0, 20, 3), Version::release(0, 21, 2)],
        source: "https://github.com/lightningnetwork/lnd/blob/master/docs/release-notes/release-notes-0.21.2.md",
    },
    Advisory {
        name: "crash by a DNS answer of another kind",
        harm: Harm::Outage,
        fixed: &[Version::release(0, 20, 2), Version::release(0, 21, 1)],
        source: "https://github.com/lightningnetwork/lnd/blob/master/docs/release-notes/release-notes-0.21.1.md",
    },
    Advisory {
        name: "replacement stalling attack",
        harm: Harm::Funds,
        fixed: &[Version::release(0, 19, 0)],
        source: "https://morehouse.github.io/lightning/lnd-replacement-stalling-attack",
    },
    Advisory {
        name: "excessive failback exploit 2",
        harm: Harm::Funds,
        fixed: &[Version::release(0, 19, 0)],
        source: "https://morehouse.github.io/lightning/lnd-excessive-failback-exploit-2",
    },
    Advisory {
        name: "infinite inbox",
        harm: Harm::Outage,
        fixed: &[Version::release(0, 19, 0)],
        source: "https://morehouse.github.io/lightning/lnd-infinite-inbox-dos",
    },
    Advisory {
        name: "gossip_timestamp_filter",
        harm: Harm::Outage,
        fixed: &[Version::release(0, 18, 3)],
        source: "https://morehouse.github.io/lightning/lnd-gossip-timestamp-filter-dos",
    },
    Advisory {
        name: "excessive failback exploit",
        harm: Harm::Funds,
        fixed: &[Version::release(0, 18, 0)],
        source: "https://morehouse.github.io/lightning/lnd-excessive-failback-exploit",
    },
    Advisory {
        name: "onion bomb",
        harm: Harm::Outage,
        fixed: &[Version::release(0, 17, 0)],
        source: "https://morehouse.github.io/lightning/lnd-onion-bomb",
    },
    Advisory {
        name: "fake channels",
        harm: Harm::Outage,
        fixed: &[Version::release(0, 16, 0)],
        source: "https://morehouse.github.io/lightning/fake-channel-dos",
    },
    Advisory {
        name: "CVE-2022-39389, blocks that can't be read",
        harm: Harm::Funds,
        fixed: &[Version::release(0, 15, 4)],
        source: "https://github.com/golang/vulndb/issues/1115",
    },
    Advisory {
        name: "blocks that can't be decoded",
        harm: Harm::Outage,
        fixed: &[Version::release(0, 15, 2)],
        source: "https://github.com/lightningnetwork/lnd/blob/master/docs/release-notes/release-notes-0.15.2.md",
    },
    Advisory {
        name: "CVE-2021-41593, dust in commitments",
        harm: Harm::Funds,
        fixed: &[Version::release(0, 13, 3)],
        source: "https://github.com/mynodebtc/mynode/issues/568",
    },
    Advisory {
        name: "CVE-2020-26896, preimages given away",
        harm: Harm::Funds,
        fixed: &[Version::release(0, 11, 0)],
        source: "https://www.cvelogic.com/cve/CVE-2020-26896",
    },
];

/// The weaknesses of a version, and the release that removes them all.
pub(super) fn of(version: Version) -> Option<(Vec<&'static Advisory>, Version)> {
    let known: Vec<(&Advisory, Version)> =
        ADVISORIES.iter().filter_map(|a| a.fix_for(version).map(|fix| (a, fix))).collect();
    let fix = known.iter().map(|(_, fix)| *fix).max()?;
    Some((known.into_iter().map(|(a, _)| a).collect(), fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_read_as_lnd_writes_them() {
        assert_eq!(version("0.18.3-beta"), Version::release(0, 18, 3));
        assert_eq!(version("v0.21.99-beta commit=v0.21.0-beta.rc1-5-gabc"), Version::release(0, 21, 99));
        assert_eq!(version("0.6-beta"), Version::release(0, 6, 0));
        assert!(version("0.19.0-beta.rc2") < version("0.19.0-beta"));
        assert!(version("0.19.0-beta.rc2") > version("0.19.0-beta-rc1"));
        assert!(version("0.19.0-beta.rc1") > version("0.18.99-beta"));
        assert!(version("0.9.2-beta") < version("0.10.0-beta"));
        for nonsense in
            ["", " ", "beta", "0", "0.", "0..1", ".1.2", "0.1.2.3", "0.99999999999.1", "0.19.0-beta.rcx", "é.1"]
        {
            assert_eq!(Version::parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_weakness_ends_with_the_first_release_of_its_line_without_it() {
        let names = |text: &str| of(version(text)).map(|(found, fix)| (found.len(), fix.to_string()));
        assert_eq!(names("0.21.2-beta"), None);
        assert_eq!(names("0.20.3-beta"), None);
        assert_eq!(names("0.21.99-beta"), None);
        assert_eq!(names("0.22.0-beta.rc1"), None);
        // Of the newest line only the memory; of the one before, the memory too, by its own release.
        assert_eq!(names("0.21.1-beta"), Some((1, "0.21.2".to_owned())));
        assert_eq!(names("0.20.2-beta"), Some((1, "0.20.3".to_owned())));
        assert_eq!(names("0.21.2-beta.rc1"), Some((1, "0.21.2".to_owned())));
        // A line that got no fix: the oldest one that did.
        assert_eq!(names("0.19.3-beta"), Some((2, "0.20.3".to_owned())));
        assert_eq!(names("0.18.5-beta"), Some((5, "0.20.3".to_owned())));
        assert_eq!(names("0.10.0-beta"), Some((13, "0.20.3".to_owned())));
    }

    #[test]
    fn every_row_cites_a_page_and_rises_in_its_fixes() {
        for row in &ADVISORIES {
            assert!(row.source.starts_with("https://"), "{}", row.name);
            assert!(!row.fixed.is_empty() && row.fixed.is_sorted(), "{}", row.name);
        }
        let sources: std::collections::HashSet<_> = ADVISORIES.iter().map(|a| (a.name, a.source)).collect();
        assert_eq!(sources.len(), ADVISORIES.len());
    }
}
