//! `daznode generate --period week|month`: key figures of a calendar period, from what is stored.

use serde_json::json;

use super::failure::usage;
use super::generate::Generate;
use super::select::name;
use super::{Context, lock, place, text};
use crate::exit::Code;
use crate::periods::{self, How, PeriodOutcome};
use crate::report::period::PeriodKind;
use crate::store::{Profile, Store};
use crate::units::Day;

type Made = (Profile, Result<PeriodOutcome, crate::store::Error>);

pub(super) fn run(
    generate: &Generate,
    context: &Context,
    kind: PeriodKind,
    profiles: &[Profile],
) -> anyhow::Result<Code> {
    let start = start(generate.date, kind, context.now.day())?;
    let how = How { now: context.now, force: generate.force, dry_run: generate.dry_run };
    let outcomes = if generate.dry_run {
        each(&context.read()?, profiles, kind, start, &how)
    } else {
        let store = context.write()?;
        let _lock = lock::take(&context.place.state, context.now)?;
        store.check_writable()?;
        store.flush_files()?;
        let outcomes = each(&store, profiles, kind, start, &how);
        store.flush_files()?;
        place::settle(&context.place)?;
        outcomes
    };
    tell(generate, context, kind, start, &outcomes)
}

/// The first day of the period that is meant: it must be over.
fn start(date: Option<Day>, kind: PeriodKind, today: Day) -> anyhow::Result<Day> {
    let start = date.map_or_else(|| kind.last_before(today), |date| kind.start(date));
    let end = kind.end(start);
    if end > today {
        let (label, kind) = (kind.label(start), kind.as_str());
        return Err(usage(format!(
            "{kind} {label} is not over before {end}: name a day of an earlier one with --date"
        )));
    }
    Ok(start)
}

fn each(store: &Store, profiles: &[Profile], kind: PeriodKind, start: Day, how: &How) -> Vec<Made> {
    profiles.iter().map(|profile| (profile.clone(), periods::make(store, profile, kind, start, how))).collect()
}

fn tell(generate: &Generate, context: &Context, kind: PeriodKind, start: Day, made: &[Made]) -> anyhow::Result<Code> {
    let label = kind.label(start);
    let mut code = Code::Fine;
    for (profile, outcome) in made {
        let name = name(profile);
        match outcome {
            Ok(PeriodOutcome::Made { .. }) => {
                let show = format!("`daznode show --period {} --date {start}`", kind.as_str());
                context.output.note(&format!("{name}: made the report of {label}: {show}"));
            }
            Ok(PeriodOutcome::AlreadyMade { .. }) => {
                context
                    .output
                    .note(&format!("{name}: the report of {label} is there already (--force makes it again)"));
            }
            Ok(PeriodOutcome::WouldMake) => context.output.note(&format!("{name}: would make the report of {label}")),
            Ok(PeriodOutcome::NotKnown) => {
                context.output.note(&format!("{name}: nothing is stored of {label}, so it has no report"));
            }
            Err(error) => {
                super::output::tell(&format!("{name}: failed: {}", text::line(&error.to_string())));
                code = worse(code, error.exit());
            }
        }
    }
    if generate.json {
        let rows: Vec<_> = made.iter().map(|(profile, outcome)| row(profile, kind, &label, outcome)).collect();
        context.output.json(&json!({ "exit_code": code.number(), "outcomes": rows }))?;
    }
    Ok(code)
}

/// The code of a run after one more profile failed: a damaged store is told, whatever comes after it.
fn worse(code: Code, exit: u8) -> Code {
    if code == Code::Store || exit == Code::Store.number() { Code::Store } else { Code::Failed }
}

fn row(
    profile: &Profile,
    kind: PeriodKind,
    label: &str,
    outcome: &Result<PeriodOutcome, crate::store::Error>,
) -> serde_json::Value {
    let mut row = json!({
        "node_pubkey": profile.pubkey,
        "node_alias": profile.alias,
        "user_id": profile.user,
        "tenant_id": profile.tenant,
        "period": kind.as_str(),
        "period_label": label,
    });
    let more = match outcome {
        Ok(PeriodOutcome::Made { report_id, revision, file }) => {
            json!({ "outcome": "made", "report_id": report_id, "revision": revision, "file": file })
        }
        Ok(PeriodOutcome::AlreadyMade { report_id }) => json!({ "outcome": "already_made", "report_id": report_id }),
        Ok(PeriodOutcome::WouldMake) => json!({ "outcome": "would_make" }),
        Ok(PeriodOutcome::NotKnown) => json!({ "outcome": "not_known" }),
        Err(error) => json!({ "outcome": "failed", "error": error.to_string(), "exit_code": error.exit() }),
    };
    if let (Some(row), serde_json::Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_profiles_is_told() {
        for (exits, code) in [
            (&[][..], Code::Fine),
            (&[1][..], Code::Failed),
            (&[5, 1][..], Code::Store),
            (&[1, 5][..], Code::Store),
            (&[1, 1][..], Code::Failed),
        ] {
            assert_eq!(exits.iter().fold(Code::Fine, |code, exit| worse(code, *exit)), code, "{exits:?}");
        }
    }
}
