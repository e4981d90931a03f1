//! What starts the runs: systemd's timers, where there is systemd.

use std::process::{Command, Stdio};

use crate::schedule::{Schedule, Timer};

/// Whether a unit is on; `None` where nobody can tell, as without systemd.
pub(super) type Ask<'a> = &'a dyn Fn(&str) -> Option<bool>;

/// Asks systemd. It must be enabled or running; quiet, and short where it hangs.
pub(super) fn systemd(unit: &str) -> Option<bool> {
    if !std::path::Path::new("/run/systemd/system").is_dir() {
        return None;
    }
    let says = |verb: &str| {
        Command::new("systemctl")
            .args(["--quiet", verb, unit])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()
            .map(|status| status.success())
    };
    if says("is-active")? { Some(true) } else { says("is-enabled") }
}

/// What can be said of the timers for these schedules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// Every schedule is met by a timer that is on.
    Yes,
    /// These units are needed and off.
    Off(Vec<&'static str>),
    /// There is no systemd: cron, or whatever else starts runs, is not known to us.
    Unknown,
}

/// Whether the timers that are on meet the schedules. The second timer makes whatever is due, so it meets all of them.
pub(super) fn met<'a>(schedules: impl IntoIterator<Item = &'a str>, ask: Ask<'_>) -> Met {
    let mut needed: Vec<Timer> =
        schedules.into_iter().map(|s| s.parse::<Schedule>().map_or(Timer::Due, |s| s.timer())).collect();
    needed.sort_by_key(|t| t.unit());
    needed.dedup();
    if needed.is_empty() {
        return Met::Yes;
    }
    let Some(due) = ask(Timer::Due.unit()) else { return Met::Unknown };
    if due {
        return Met::Yes;
    }
    let off: Vec<&'static str> = needed.into_iter().map(Timer::unit).filter(|unit| ask(unit) != Some(true)).collect();
    if off.is_empty() { Met::Yes } else { Met::Off(off) }
}

/// The words for what is not met.
pub(super) fn advice(met: &Met) -> Option<String> {
    match met {
        Met::Yes => None,
        Met::Off(units) => {
            Some(format!("no timer that is on meets these schedules: systemctl enable --now {}", units.join(" ")))
        }
        Met::Unknown => Some(
            "no systemd here: let cron run `daznode generate --all` at 6:00 UTC, or `daznode generate --due` every \
             quarter of an hour for schedules of their own"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: &str = "0 6 * * *";
    const SEVEN: &str = "0 7 * * *";

    #[test]
    fn each_schedule_needs_a_timer_that_is_on() {
        let none = |_: &str| Some(false);
        let daily = |unit: &str| Some(unit == "daznode.timer");
        let due = |unit: &str| Some(unit == "daznode-due.timer");
        assert_eq!(met([SIX], &daily), Met::Yes);
        assert_eq!(met([SIX, SEVEN], &daily), Met::Off(vec!["daznode-due.timer"]));
        assert_eq!(met([SIX, SEVEN], &due), Met::Yes);
        assert_eq!(met([SIX], &none), Met::Off(vec!["daznode.timer"]));
        assert_eq!(met([], &none), Met::Yes);
    }

    #[test]
    fn without_systemd_cron_is_named() {
        let told = advice(&met([SIX], &|_| None)).unwrap();
        assert!(told.contains("cron") && told.contains("generate --all"), "{told}");
    }
}
