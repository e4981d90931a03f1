//! Reports that are overdue: told once for each day that one was due.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::{Level, Shared, World, name};
use crate::notice::{About, Event, EventKind};
use crate::report::Severity;
use crate::schedule::Schedule;
use crate::store::{self, Profile};
use crate::units::{Day, UnixMs};

/// When the report was due that a profile is owed for longer than `grace`.
pub fn overdue(profile: &Profile, grace: Duration, now: UnixMs) -> Option<UnixMs> {
    let grace = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
    let schedule: Schedule = profile.schedule.parse().ok()?;
    let since = profile.last_report_at.unwrap_or(profile.created_at);
    // The newest that is due may be within its grace while the one before never came.
    let due = schedule.previous(now.plus(grace.saturating_neg()))?;
    (since < due).then_some(due)
}

/// What is told of it.
pub(super) fn event(profile: &Profile, due: UnixMs, now: UnixMs) -> Event {
    let hours = now.since(due) / crate::units::HOUR_MS;
    Event {
        key: format!("late:{}:{}", profile.id, due.day()),
        kind: EventKind::RunLate,
        at: now,
        severity: Severity::Warning,
        about: Some(About {
            user: profile.user.clone(),
            pubkey: profile.pubkey.clone(),
            alias: profile.alias.clone(),
            network: profile.network,
        }),
        title: format!("The report of {} is overdue", due.day()),
        text: format!(
            "It was due at {}, {hours} h ago, and there is none. See `daznode health-check`, the timer (`systemctl \
             list-timers 'daznode*'`) and `journalctl -u daznode.service`. The next report makes up for the day.",
            due.rfc3339()
        ),
        alert_key: None,
        since: Some(due),
        report_id: None,
    }
}

/// Tells of every profile whose report is overdue, once for each date.
pub(super) async fn tell<W: World>(
    shared: &Shared<'_, W>,
    told: &RefCell<HashMap<Uuid, Day>>,
) -> Result<(), store::Error> {
    let Some(grace) = shared.options.late else { return Ok(()) };
    let now = shared.now();
    for profile in shared.profiles().await? {
        let Some(due) = overdue(&profile, grace, now) else { continue };
        if told.borrow().get(&profile.id) == Some(&due.day()) {
            continue;
        }
        let event = event(&profile, due, now);
        shared.world.log(Level::Warning, &format!("{}: {}", name(&profile), event.title));
        let (id, who) = (profile.id, name(&profile));
        match shared.store.run(move |store| store.tell(&profile, &event)).await {
            Ok(_) => {
                told.borrow_mut().insert(id, due.day());
                shared.news.notify_one();
            }
            Err(error) => shared.world.log(Level::Error, &format!("{who}: that can't be stored: {error}")),
        }
    }
    Ok(())
}
