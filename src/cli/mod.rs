//! The command line: what was typed, what it means, and what the operator sees of it.
//!
//! Only here are the clock, stdout, colours and progress known. Commands that only read set up no runtime, TLS or
//! network.

mod advice;
mod alerts;
mod backup;
mod clock;
mod collect;
mod connect;
mod demo;
mod disable;
mod enable;
mod failure;
mod generate;
mod generated;
mod health;
mod history;
mod init;
mod lock;
mod notify;
mod output;
mod periods;
mod place;
mod progress;
mod record;
mod restore;
mod select;
mod show;
mod sources;
mod start;
mod status;
mod stop;
mod text;
mod timer;
mod verify;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Color, Config};
use crate::exit::Code;
use crate::render;
use crate::store::{Access, Store};
use crate::units::UnixMs;
use failure::{is_broken_pipe, usage};
use output::{Output, tell};
use place::{Place, Wanted};

/// A dated daily report for the operator of a Lightning node.
///
/// daznode reads your LND node, keeps what it saw, judges it, and hands you one short report a day: how the node is, what
/// is wrong, what to do, what changed.
#[derive(Debug, Parser)]
#[command(
    name = "daznode",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "First steps:\n  \
        daznode demo                          see a report without a node\n  \
        daznode enable --lnddir ~/.lnd        make reports for the node of this folder\n  \
        daznode generate --all && daznode show",
    after_long_help = "First steps:\n  \
        daznode demo                          see a report without a node\n  \
        daznode enable --lnddir ~/.lnd        make reports for the node of this folder\n  \
        daznode generate --all && daznode show\n\n\
        Exit codes: 0 fine, 1 failed (also when only some of several nodes did), 2 wrong arguments or settings, 3 every \
        report made but some with gaps, 4 credentials refused, 5 the store is damaged or of a newer version, 11 another \
        run holds the lock, 130 interrupted.\n\n\
        Files: your own store and settings are in the data and configuration folders of your account \
        (~/.local/share/daznode, ~/.config/daznode), the service's in /var/lib/daznode and /etc/daznode."
)]
struct Args {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[expect(clippy::doc_markdown, reason = "this is help: it is read without Markdown")]
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Folder of the store [environment: DAZNODE_STATE]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// File of settings, over those of your account [environment: DAZNODE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use the service's store and settings: /var/lib/daznode and /etc/daznode
    #[arg(long, global = true)]
    system: bool,
    /// When to use colours (NO_COLOR is obeyed)
    #[arg(long, global = true, value_name = "WHEN", value_enum, hide_possible_values = false)]
    color: Option<Color>,
    /// Open no connection but to LND on this machine or its private network
    #[arg(long, global = true)]
    offline: bool,
    /// Say more about what is done
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Print only what was asked for, and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Enable(Box<enable::Enable>),
    Disable(disable::Disable),
    Status(status::Status),
    Generate(generate::Generate),
    Show(show::Show),
    History(history::History),
    Advice(advice::Advice),
    Alerts(alerts::Alerts),
    Watch(watch::Watch),
    Notify(notify::Notify),
    HealthCheck(health::HealthCheck),
    Backup(backup::Backup),
    Verify(verify::Verify),
    Restore(restore::Restore),
    Record(record::Record),
    Demo(demo::Demo),
    Completions(generated::Completions),
    Man(generated::Man),
}

impl Command {
    /// Whether it writes nothing to the store.
    const fn reads(&self) -> bool {
        match self {
            Self::Enable(_) | Self::Disable(_) | Self::Generate(_) | Self::Restore(_) => false,
            Self::Alerts(alerts) => alerts.reads(),
            Self::Notify(notify) => notify.reads(),
            Self::Watch(watch) => watch.reads(),
            _ => true,
        }
    }
}

/// What every command is given.
struct Context {
    /// Settings, with the flags of every command laid over.
    config: Config,
    /// Which store.
    place: Place,
    /// How to print.
    output: Output,
    /// When the command was started.
    now: UnixMs,
}

impl Context {
    /// The store, to read.
    fn read(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&self.place.state, Access::Read)?)
    }

    /// What is written on.
    fn page(&self) -> render::Page {
        render::Page { width: self.output.width, colour: self.output.colour, now: self.now }
    }

    /// Says which store was read, where another could have been meant.
    fn tell_store(&self) {
        if let Some(other) = &self.place.other {
            let (read, other) = (self.place.state.display(), other.display());
            self.output.note(&format!("Read from {read}; there is also {other}, which --system reads."));
        }
    }

    /// The store, to write; made where it is missing. What it learns is told to the channels of the settings.
    fn write(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&self.place.state, Access::Write)?.telling(self.config.telling()))
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    start::protect();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return start::explain(&error).into(),
    };
    match run(args) {
        Ok(code) => code.into(),
        Err(error) if is_broken_pipe(&error) => Code::Fine.into(),
        Err(error) => {
            tell(&format!("daznode: {}", text::line(&failure::words(&error))));
            failure::code(&error).into()
        }
    }
}

fn run(args: Args) -> anyhow::Result<Code> {
    // What needs neither store nor settings works also where those are broken.
    match &args.command {
        Command::Completions(completions) => return generated::completions(completions),
        Command::Man(man) => return generated::man(man),
        _ => {}
    }
    let env = |name: &str| std::env::var(name).ok();
    let Global { state, config, system, color, offline, verbose, quiet } = args.global;
    let place = Wanted::new(state, system, &env)
        .resolve(args.command.reads())
        .ok_or_else(|| usage("no home folder is known: name the folder of the store with --state DIR"))?;
    if place.service {
        start::share_with_group();
    }
    let file = config.or_else(|| env("DAZNODE_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from));
    if let Command::Init(init) = &args.command {
        return init::run(init, file, place.service);
    }
    let mut config = Config::load(&place::config_files(place.service), file.as_deref(), &env)?;
    config.network.offline |= offline;
    config.output.color = color.unwrap_or(config.output.color);
    let output = Output::new(&config, &env, quiet, verbose);
    output.detail(&format!("store: {}", place.state.display()));
    let context = Context { config, place, output, now: clock::now() };
    match &args.command {
        Command::Enable(enable) => enable::run(enable, &context),
        Command::Disable(disable) => disable::run(disable, &context),
        Command::Status(status) => status::run(status, &context),
        Command::Generate(generate) => generate::run(generate, &context),
        Command::Show(show) => show::run(show, &context),
        Command::History(history) => history::run(history, &context),
        Command::Advice(advice) => advice::run(advice, &context),
        Command::Alerts(alerts) => alerts::run(alerts, &context),
        Command::HealthCheck(health) => health::run(health, &context),
        Command::Record(record) => record::run(record, &context),
        Command::Notify(notify) => notify::run(notify, &context),
        Command::Watch(watch) => watch::run(watch, &context),
        Command::Backup(backup) => backup::run(backup, &context),
        Command::Verify(verify) => verify::run(verify, &context),
        Command::Restore(restore) => restore::run(restore, &context),
        Command::Demo(demo) => demo::run(demo, &context),
        Command::Init(_) | Command::Completions(_) | Command::Man(_) => Ok(Code::Fine),
    }
}
