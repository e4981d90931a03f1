//! `daznode demo`: the whole run on a node that is built in, in a folder of its own that goes with it.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::output::Output;
use super::{Context, collect, connect, health, history, show};
use crate::config::Config;
use crate::daily::{self, Collect, Collected, Options, Outcome};
use crate::exit::Code;
use crate::schedule::{self, Schedule};
use crate::sources::simulated::Simulated;
use crate::sources::spec::SourceSpec;
use crate::sources::{Error, EventSender, NodeSource, Resume};
use crate::store::{Access, Handle, NewProfile, Profile, RunRow, Store, new_id};
use crate::units::{Day, UnixMs};

/// Days that the made-up node has lived when it is reported.
const DAYS: i64 = 30;
/// Seed of the made-up node.
const SEED: u64 = 7;

/// Show a whole run on a made-up node: no network, nothing kept
///
/// A node that is built into daznode lives through 30 days, and a report is made for each of its mornings. Its channels,
/// payments and peers are made up; the reports are made as for a real node.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  daznode demo")]
pub(super) struct Demo {}

pub(super) fn run(_demo: &Demo, context: &Context) -> anyhow::Result<Code> {
    let folder = tempfile::Builder::new().prefix("daznode-demo-").tempdir().context("make a folder for the demo")?;
    let out = context.output;
    let last = last_morning(context.now);
    let born = last.day().plus(-DAYS);
    out.print(&format!(
        "A demonstration. The node, its 30 days of history and its money are made up; nothing is sent anywhere, and what\n\
         is stored is removed at the end.\n\n$ daznode enable          (a made-up node, born {born})\n"
    ))?;
    let profile = enable(folder.path(), born)?;
    out.print(&format!(
        "enabled {} ({}), reports each morning at 06:00 UTC\n\n$ daznode generate --all  (once for each of its mornings)\n",
        profile.alias,
        profile.pubkey.short()
    ))?;
    let made = mornings(folder.path(), &profile, born, last)?;
    out.print(&format!("{made} reports made, the last one of {}\n\n$ daznode show\n", last.day()))?;
    let there = at(context, folder.path(), last);
    show::run(&parsed("show")?, &there)?;
    out.print("\n$ daznode history\n")?;
    history::run(&parsed("history")?, &there)?;
    out.print("\n$ daznode health-check\n")?;
    health::run(&parsed("health-check")?, &there)?;
    out.print(
        "\nNext, with a node of your own:\n  \
         daznode enable --lnddir ~/.lnd     (or: daznode enable 'lndconnect://host:port?cert=…&macaroon=…')\n  \
         daznode generate --all\n  \
         daznode show\n",
    )?;
    Ok(Code::Fine)
}

/// Six in the morning, today or yesterday.
fn last_morning(now: UnixMs) -> UnixMs {
    schedule::DEFAULT.parse::<Schedule>().ok().and_then(|s| s.previous(now)).unwrap_or(now)
}

/// A command's options as if nothing more had been typed.
fn parsed<T: Args>(name: &'static str) -> anyhow::Result<T> {
    let matches = T::augment_args(clap::Command::new(name)).try_get_matches_from([name])?;
    Ok(T::from_arg_matches(&matches)?)
}

fn enable(folder: &Path, born: Day) -> anyhow::Result<Profile> {
    let store = Store::open(folder, Access::Write)?;
    let source = SourceSpec::Simulated { seed: SEED, born };
    let identity = connect::block_on(Simulated::new(SEED, born, born.start()).identify())??;
    let new = NewProfile {
        tenant: "default".to_owned(),
        user: "demo".to_owned(),
        pubkey: identity.pubkey,
        network: identity.network,
        alias: identity.alias,
        source,
        schedule: schedule::DEFAULT.to_owned(),
        notify: serde_json::Value::Null,
    };
    Ok(store.enable(&new, born.start())?)
}

/// Makes the report of each morning with the clock of that morning.
fn mornings(folder: &Path, profile: &Profile, born: Day, last: UnixMs) -> anyhow::Result<u32> {
    let store = Handle::open(folder)?;
    let clock = Cell::new(last);
    let mut made = 0;
    for day in 1..=DAYS {
        let Some(morning) = schedule::DEFAULT.parse::<Schedule>()?.on(born.plus(day)) else { continue };
        clock.set(morning);
        let profile = profile.clone();
        let now = || clock.get();
        let (options, id) = (options(), profile.id);
        let run = daily::run(vec![profile], &store, &MadeUp, &options, &now, &Silent);
        for (_, outcome) in connect::block_on(run)? {
            match outcome {
                Outcome::Made(_) => made += 1,
                Outcome::Failed { error, .. } => anyhow::bail!("the demo's report of {}: {error}", morning.day()),
                other => anyhow::bail!("the demo's report of {} ({id}): {other:?}", morning.day()),
            }
        }
    }
    let row = RunRow {
        id: new_id(last),
        started_at: last,
        ended_at: Some(last),
        kind: "all".to_owned(),
        made: 1,
        partial: 0,
        failed: 0,
        not_tried: 0,
        exit_code: Some(0),
    };
    connect::block_on(store.run(move |store| store.put_run(&row)))??;
    Ok(made)
}

fn options() -> Options {
    Options {
        jobs: 1,
        timeout: Duration::from_secs(60),
        retries: 0,
        budget: None,
        date: None,
        dry_run: false,
        force: false,
        catch_up_days: 0,
        retention: Config::default().retention.days(),
        thresholds: Config::default().thresholds,
    }
}

/// The same command line, looking at the demo's folder on its last morning.
fn at(context: &Context, folder: &Path, now: UnixMs) -> Context {
    let place = super::Place { state: folder.to_path_buf(), service: false, other: None };
    let mut config = Config::default();
    config.network.offline = true;
    let output = Output { quiet: false, ..context.output };
    Context { config, place, output, now }
}

/// Reads the made-up node and nothing else.
struct MadeUp;

impl Collect for MadeUp {
    fn moment(&self, _profile: &Profile) -> Option<UnixMs> {
        None
    }

    async fn collect(
        &self,
        profile: &Profile,
        now: UnixMs,
        resume: &Resume,
        events: EventSender,
    ) -> Result<Collected, Error> {
        let SourceSpec::Simulated { seed, born } = profile.source else {
            return Err(Error::Setup("the demo reads only its made-up node".to_owned()));
        };
        collect::made_up(&Simulated::new(seed, born, now), resume, events).await
    }
}

struct Silent;

impl daily::Progress for Silent {
    fn started(&self, _profile: &Profile) {}
    fn finished(&self, _profile: &Profile, _outcome: &Outcome) {}
}
