//! The line of `health-check`: whether messages could leave, and whether they did.

use crate::cli::Context;
use crate::render::number::count;
use crate::render::{Check, State};
use crate::store::{LetterState, Store};

/// Reads the secrets of every channel, without a word to any service, and counts what waits and what was given up.
pub(in crate::cli) fn check(store: &Store, context: &Context) -> anyhow::Result<Check> {
    let notify = &context.config.notify;
    let said = |state, detail: String, remedy: Option<&str>| Check {
        name: "messages".to_owned(),
        state,
        detail,
        remedy: remedy.map(str::to_owned),
    };
    let mut letters = [0_u32; 2];
    for row in store.letter_counts()? {
        match row.state {
            LetterState::Waiting => letters[0] = letters[0].saturating_add(row.count),
            LetterState::Dead => letters[1] = letters[1].saturating_add(row.count),
            LetterState::Sent => {}
        }
    }
    let [waiting, dead] = letters;
    let wrong = super::courier(context).faults();
    if let Some(first) = wrong.first() {
        let more = wrong.len().saturating_sub(1);
        let more = if more > 0 { format!(" ({more} more)") } else { String::new() };
        return Ok(said(State::Warn, format!("{first}{more}"), Some("`daznode notify test` tries every channel")));
    }
    if dead > 0 {
        let detail = format!(
            "{} given up",
            if dead == 1 { "1 message was".to_owned() } else { format!("{dead} messages were") }
        );
        return Ok(said(
            State::Warn,
            detail,
            Some("`daznode notify dead` says why, `daznode notify resend --all` tries again"),
        ));
    }
    let channels = u32::try_from(notify.channels.len()).unwrap_or(u32::MAX);
    if channels == 0 {
        let remedy = "[notify.channels.NAME] in the settings makes one; docs/notifications.md says how";
        return Ok(said(State::Off, "no channel".to_owned(), Some(remedy)));
    }
    let waits = if waiting == 1 { "1 message waits".to_owned() } else { format!("{} wait", count(waiting, "message")) };
    Ok(said(State::Ok, format!("{}, {waits}", count(channels, "channel")), None))
}
