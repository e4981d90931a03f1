//! `daznode watch`: the service that sees what a timer of once a day can't, and what it says of itself.

mod live;
mod service;
mod status;

use std::time::{Duration, Instant};

use clap::Args;

use super::connect;
use super::select::{Which, name};
use super::{Context, clock, failure, lock, stop};
use crate::exit::Code;
use crate::store::{Handle, Profile, ProfileFilter};
use crate::watch::{self, Level, Moment, Options, World};

use live::Live;
pub(super) use status::line as health;

/// Follow nodes all the time: failed forwards, peers that come and go, balances, policies
///
/// Runs until it is stopped; daznode-watch.service starts it at boot where it is switched on. What it sees goes into the
/// reports. What it did not see is "not measured" there. Settings are read once: restart it when they change.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    systemctl enable --now daznode-watch.service\n  \
    daznode watch --status\n  \
    daznode watch --once")]
pub(super) struct Watch {
    #[command(flatten)]
    which: Which,
    /// Look at every node once and check the sources, then end
    #[arg(long, conflicts_with = "status")]
    once: bool,
    /// Say since when the watcher runs and what it saw of the last 24 hours; contact nothing
    #[arg(long)]
    status: bool,
    /// Print JSON
    #[arg(long, requires = "status")]
    json: bool,
}

/// How often a sign of life is given where systemd asks for none.
const BEAT: Duration = Duration::from_secs(20);

pub(super) fn run(watch: &Watch, context: &Context) -> anyhow::Result<Code> {
    if watch.status {
        return status::run(&watch.which, watch.json, context);
    }
    let store = context.write()?;
    let _lock = lock::take_file(&context.place.state, lock::WATCH, context.now)?;
    let store = Handle::new(store)?;
    let filter = ProfileFilter {
        tenant: watch.which.tenant.clone(),
        user: watch.which.user.clone(),
        node: None,
        enabled_only: true,
    };
    let live = Live::new(context, store.clone(), filter.clone())?;
    if watch.once {
        return connect::block_on(once(&live, &store, filter))?;
    }
    let settings = context.config.watch;
    let options = Options {
        filter,
        sample: settings.sample(),
        probe: Duration::from_secs(context.config.health.interval_s),
        late: settings.late().filter(|_| context.config.schedule.enabled),
        beat: service::beat().unwrap_or(BEAT),
        hurry: 1,
    };
    let began = Instant::now();
    let clock = || {
        let awake = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Moment { wall: clock::now(), awake }
    };
    connect::block_on(async {
        let stop = stop::asked()?;
        live.log(Level::Info, "the watcher begins");
        watch::run(&store, &live, &clock, &options, stop).await?;
        service::stopping();
        live.log(Level::Info, "the watcher ends");
        Ok(Code::Fine)
    })?
}

/// One look at each node.
async fn once(live: &Live<'_>, store: &Handle, filter: ProfileFilter) -> anyhow::Result<Code> {
    let profiles = store.run(move |store| store.profiles(&filter)).await?;
    let profiles: Vec<Profile> = profiles.into_iter().filter(watch::can_follow).collect();
    let all = profiles.len();
    let mut failed = Vec::new();
    for profile in profiles {
        match live.sample(&profile, clock::now()).await {
            Ok(sample) => {
                live.judge(&profile, &sample).await;
                store.run(move |store| store.put_sample(&profile, sample)).await?;
            }
            Err(error) => {
                live.log(Level::Error, &format!("{}: {error}", name(&profile)));
                failed.push(failure::of_source(&error));
            }
        }
    }
    live.probe(clock::now()).await;
    live.deliver(clock::now()).await;
    // As with a run: only where all failed for one reason is it the command's.
    Ok(match failed.first() {
        None => Code::Fine,
        Some(first) if failed.len() == all && failed.iter().all(|code| code == first) => *first,
        Some(_) => Code::Failed,
    })
}

impl Watch {
    /// Whether it only reads the store.
    pub(super) const fn reads(&self) -> bool {
        self.status
    }
}
