//! `daznode notify`: try a channel, see what waits and what was given up, send it.

mod health;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::failure::{fail, usage};
use super::output::tell;
use super::select::Which;
use super::{Context, connect, place, text};
use crate::config::notify::Channel;
use crate::exit::Code;
use crate::notice::{About, Event, EventKind};
use crate::notify::{Courier, Delivered, Places};
use crate::report::{Report, Severity};
use crate::store::{Error, Handle, Letter, LetterState};
use crate::units::{HOUR_MS, UnixMs};

pub(super) use health::check as health;

/// When and by what a message is tried again.
const AGAIN: &str = "from 30 s on, by the next run, the watcher or `daznode notify send`";
/// For what is due after a run.
const BUDGET: Duration = Duration::from_secs(20);

/// Try the channels of the settings, see what they get, and send what waits
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode notify test phone\n  \
    daznode notify test mail --dry-run --report bob\n  \
    daznode notify list\n  \
    daznode notify dead\n  \
    daznode notify resend --all\n\n\
    Channels are set up in the settings, in [notify.channels.NAME]; docs/notifications.md says how for each service.")]
pub(super) struct Notify {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Send a test message to a channel, or to all
    Test(Test),
    /// List the channels, what each one gets, and how many messages wait, arrived or were given up
    List(Listing),
    /// List the messages that were given up
    Dead(Listing),
    /// Let a message that was given up, or all of them, be sent again
    Resend(Resend),
    /// Send what is due now
    Send(Listing),
    /// Tell that a systemd unit failed, as the services do
    Failure(Failed),
}

#[derive(Debug, Args)]
struct Test {
    /// The channel; all of them unless told
    channel: Option<String>,
    /// Show the exact message and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Take the newest report of this node in place of a few words
    #[arg(long, value_name = "NODE", value_parser = super::select::node)]
    report: Option<String>,
}

#[derive(Debug, Args)]
struct Listing {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Resend {
    /// Its id, as `daznode notify dead` shows it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<Uuid>,
    /// All of them
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
struct Failed {
    /// The unit, such as daznode.service
    #[arg(value_parser = unit)]
    unit: String,
}

/// The name of a unit goes into messages: only what systemd allows in one.
fn unit(text: &str) -> Result<String, String> {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '.' | '@' | '\\' | '-');
    let good = !text.is_empty() && text.len() <= 255 && text.chars().all(fit);
    if good { Ok(text.to_owned()) } else { Err("expected the name of a unit, such as daznode.service".to_owned()) }
}

impl Notify {
    /// Whether it writes nothing to the store.
    pub(super) const fn reads(&self) -> bool {
        matches!(self.act, Act::Test(_) | Act::List(_) | Act::Dead(_))
    }
}

pub(super) fn run(notify: &Notify, context: &Context) -> anyhow::Result<Code> {
    match &notify.act {
        Act::Test(test) => self::test(test, context),
        Act::List(list) => self::list(list, context),
        Act::Dead(dead) => self::dead(dead, context),
        Act::Resend(resend) => self::resend(resend, context),
        Act::Send(send) => self::send(send, context),
        Act::Failure(failed) => failure(failed, context),
    }
}

/// What sends, as the settings say.
pub(super) fn courier(context: &Context) -> Courier {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    Courier::new(&context.config, Places { home: folder("HOME"), credentials: folder("CREDENTIALS_DIRECTORY") })
}

/// Sends what a run left to be told, and tells the dead-man switch. It never changes how the run ends.
pub(super) fn after_run(context: &Context, store: &Handle, code: Code) {
    if code == Code::Interrupted {
        return;
    }
    let courier = courier(context);
    let good = matches!(code, Code::Fine | Code::Partial);
    let both = async {
        let heartbeat = courier.heartbeat(good, context.now).await;
        (heartbeat, courier.deliver(store, super::clock::now(), BUDGET).await)
    };
    match connect::block_on(both) {
        Ok((heartbeat, delivered)) => {
            if let Err(error) = heartbeat {
                tell(&format!("notify: {}", text::line(&error)));
            }
            match delivered {
                Ok(delivered) => tell_errors(&delivered),
                Err(error) => tell(&format!("notify: {}", text::line(&error.to_string()))),
            }
        }
        Err(error) => tell(&format!("notify: {}", text::line(&error.to_string()))),
    }
}

fn tell_errors(delivered: &Delivered) {
    for error in &delivered.errors {
        tell(&format!("notify: {}", text::line(error)));
    }
    if delivered.failed + delivered.waiting > 0 {
        let waiting = delivered.failed + delivered.waiting;
        tell(&format!("notify: not sent yet: {waiting}; each is tried again, {AGAIN}"));
    }
}

/// A mistake where preferences name a channel that there is not.
pub(super) fn check_names(preferences: Option<&serde_json::Value>, context: &Context) -> anyhow::Result<()> {
    let named = preferences.and_then(|value| value.get("channels")?.as_array());
    let known = &context.config.notify.channels;
    let missing = named.into_iter().flatten().filter_map(|name| name.as_str()).find(|name| !known.contains_key(*name));
    match missing {
        Some(name) => Err(unknown(name, context)),
        None => Ok(()),
    }
}

fn unknown(name: &str, context: &Context) -> anyhow::Error {
    let known: Vec<&str> = context.config.notify.channels.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", known.join(", ")) };
    usage(format!("the settings have no [notify.channels.{}]: {known}", text::line(name)))
}

/// The channels that are meant: at least one.
fn channels<'a>(one: Option<&'a str>, context: &'a Context) -> anyhow::Result<Vec<&'a str>> {
    let all = &context.config.notify.channels;
    match one {
        Some(name) if all.contains_key(name) => Ok(vec![name]),
        Some(name) => Err(unknown(name, context)),
        None if all.is_empty() => {
            Err(usage("the settings have no channel: [notify.channels.NAME] makes one, see docs/notifications.md"))
        }
        None => Ok(all.keys().map(String::as_str).collect()),
    }
}

fn test(test: &Test, context: &Context) -> anyhow::Result<Code> {
    let names = channels(test.channel.as_deref(), context)?;
    let report = test.report.as_deref().map(|node| newest(node, context)).transpose()?;
    let courier = courier(context);
    let mut failed = 0;
    for name in names {
        let event = test_event(name, report.as_ref(), context.now);
        if test.dry_run {
            let shown = courier.show(name, &event, report.as_ref(), context.now);
            let shown = shown.map_err(|error| fail(Code::Failed, format!("{name}: {error}")))?;
            let lines: Vec<String> = shown.lines().map(crate::render::safe::line).collect();
            context.output.print(&format!("# {name}\n{}\n", lines.join("\n")))?;
            continue;
        }
        match connect::block_on(courier.send_now(name, &event, report.as_ref(), context.now))? {
            Ok(()) => context.output.note(&format!("{name}: sent")),
            Err(error) => {
                failed += 1;
                tell(&format!("{name}: failed: {}", text::line(&error)));
            }
        }
    }
    Ok(if failed > 0 { Code::Failed } else { Code::Fine })
}

fn newest(node: &str, context: &Context) -> anyhow::Result<Report> {
    let store = context.read()?;
    let profile = Which::default().one(&store, Some(node))?;
    let stored = store.latest_report(&profile)?;
    Ok(stored.ok_or_else(|| usage("this node has no report yet: `daznode generate` makes one"))?.report)
}

fn test_event(channel: &str, report: Option<&Report>, now: UnixMs) -> Event {
    let about = report.and_then(|report| {
        Some(About {
            user: report.user_id.clone(),
            pubkey: report.node_pubkey.clone(),
            alias: report.node_alias.clone(),
            network: report.metrics.network.network.parse().ok()?,
        })
    });
    Event {
        key: format!("test:{channel}:{}", now.0),
        kind: if report.is_some() { EventKind::Report } else { EventKind::Test },
        at: now,
        severity: report.map_or(Severity::Info, Report::worst_told),
        about,
        title: format!("daznode: a test of the channel {channel}"),
        text: "Messages of daznode arrive here. Nothing is wrong, and nothing is to be done.".to_owned(),
        alert_key: None,
        since: None,
        report_id: report.map(|report| report.report_id),
    }
}

fn list(list: &Listing, context: &Context) -> anyhow::Result<Code> {
    let mut counts: BTreeMap<String, BTreeMap<LetterState, u32>> = BTreeMap::new();
    match context.read() {
        Ok(store) => {
            for row in store.letter_counts()? {
                counts.entry(row.channel).or_default().insert(row.state, row.count);
            }
        }
        // Channels can be tried before there is a store.
        Err(error) if matches!(error.downcast_ref::<Error>(), Some(Error::Missing { .. })) => {}
        Err(error) => return Err(error),
    }
    let known = &context.config.notify.channels;
    for name in known.keys() {
        counts.entry(name.clone()).or_default();
    }
    let rows: Vec<Row> = counts.iter().map(|(name, states)| Row::new(name, known.get(name), states)).collect();
    if list.json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        context.output.json(&json!({ "channels": rows }))?;
    } else if rows.is_empty() {
        context.output.note("There is no channel: [notify.channels.NAME] in the settings makes one.");
    } else {
        let head = ["channel", "kind", "from", "events", "users", "hides", "waiting", "sent", "given up"];
        let rows: Vec<Vec<String>> = rows.iter().map(Row::cells).collect();
        context.output.print(&crate::render::table(&head, &rows, &context.page()))?;
    }
    Ok(Code::Fine)
}

/// One channel of the list: of the settings, or one that messages are still kept of.
struct Row<'a> {
    name: &'a str,
    channel: Option<&'a Channel>,
    waiting: u32,
    sent: u32,
    dead: u32,
}

impl<'a> Row<'a> {
    fn new(name: &'a str, channel: Option<&'a Channel>, states: &BTreeMap<LetterState, u32>) -> Self {
        let count = |state| states.get(&state).copied().unwrap_or(0);
        let (waiting, sent, dead) = (count(LetterState::Waiting), count(LetterState::Sent), count(LetterState::Dead));
        Self { name, channel, waiting, sent, dead }
    }

    fn json(&self) -> serde_json::Value {
        let channel = self.channel;
        json!({
            "channel": self.name, "kind": channel.map(|c| c.kind), "severity": channel.map(|c| c.severity),
            "events": channel.map(|c| &c.events), "users": channel.map(|c| &c.users), "hide": channel.map(|c| &c.hide),
            "waiting": self.waiting, "sent": self.sent, "dead": self.dead,
        })
    }

    fn cells(&self) -> Vec<String> {
        // As serde names them.
        let named = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let words = |list: Vec<String>, none: &str| if list.is_empty() { none.to_owned() } else { list.join(" ") };
        let of = |cell: &dyn Fn(&Channel) -> String| self.channel.map_or_else(|| "-".to_owned(), cell);
        let events = |c: &Channel| {
            let all = EventKind::ALL.iter().all(|kind| c.events.contains(kind));
            if all { "all".to_owned() } else { words(c.events.iter().map(|k| k.name().to_owned()).collect(), "none") }
        };
        vec![
            self.name.to_owned(),
            self.channel.map_or("not in the settings", |c| c.kind.name()).to_owned(),
            of(&|c| named(json!(c.severity))),
            of(&events),
            of(&|c| words(c.users.clone(), "all")),
            of(&|c| words(c.hide.iter().map(|hidden| named(json!(hidden))).collect(), "nothing")),
            self.waiting.to_string(),
            self.sent.to_string(),
            self.dead.to_string(),
        ]
    }
}

fn dead(dead: &Listing, context: &Context) -> anyhow::Result<Code> {
    let letters = context.read()?.letters_dead()?;
    if dead.json {
        let rows: Vec<_> = letters.iter().map(letter_json).collect();
        context.output.json(&json!({ "dead": rows }))?;
        return Ok(Code::Fine);
    }
    if letters.is_empty() {
        context.output.note("No message was given up.");
    }
    for letter in &letters {
        let title = letter.event.as_ref().map_or("(can't be read)", |event| &event.title);
        let error = letter.last_error.as_deref().unwrap_or("no reason was kept");
        let when = crate::render::number::short_moment(letter.created_at);
        context.output.print(&format!(
            "{} {when} {} ({} tries)\n  {}\n  {}",
            letter.id,
            letter.channel,
            letter.tries,
            text::line(title),
            text::line(error)
        ))?;
    }
    Ok(Code::Fine)
}

fn letter_json(letter: &Letter) -> serde_json::Value {
    json!({
        "id": letter.id, "channel": letter.channel, "key": letter.key, "tries": letter.tries,
        "kind": letter.event.as_ref().map(|event| event.kind), "title": letter.event.as_ref().map(|event| &event.title),
        "error": letter.last_error, "created_at": letter.created_at.rfc3339(),
        "ended_at": letter.ended_at.map(UnixMs::rfc3339),
    })
}

fn resend(resend: &Resend, context: &Context) -> anyhow::Result<Code> {
    drop(context.read()?);
    let freed = context.write()?.resend_letters(resend.id, context.now)?;
    place::settle(&context.place)?;
    if freed == 0 && !resend.all {
        return Err(usage("no message of this id was given up: `daznode notify dead` lists them"));
    }
    context.output.note(&format!("waiting again: {freed}; `daznode notify send` sends what is due"));
    Ok(Code::Fine)
}

fn send(send: &Listing, context: &Context) -> anyhow::Result<Code> {
    drop(context.read()?);
    let store = Handle::new(context.write()?)?;
    let delivered = connect::block_on(courier(context).deliver(&store, context.now, BUDGET))??;
    place::settle(&context.place)?;
    if send.json {
        context.output.json(&json!({
            "sent": delivered.sent, "failed": delivered.failed, "dead": delivered.dead, "waiting": delivered.waiting,
            "errors": delivered.errors,
        }))?;
    }
    for error in &delivered.errors {
        tell(&text::line(error));
    }
    let Delivered { sent, failed, dead, .. } = &delivered;
    // Not only those that were due: others wait for the end of quiet hours, or for their next try.
    let counts = connect::block_on(store.run(crate::store::Store::letter_counts))??;
    let waiting: u32 = counts.iter().filter(|row| row.state == LetterState::Waiting).map(|row| row.count).sum();
    context.output.note(&format!("{sent} sent, {failed} failed, {dead} given up, {waiting} waiting for their time"));
    if delivered.elsewhere {
        context.output.note("Another daznode is delivering.");
    }
    Ok(if failed + dead > 0 { Code::Failed } else { Code::Fine })
}

/// Puts it into the outbox, so that it is tried again; where there is no store to write, sends it at once and once.
fn failure(failed: &Failed, context: &Context) -> anyhow::Result<Code> {
    let event = failed_event(&failed.unit, context.now);
    let courier = courier(context);
    if courier.is_idle() {
        return Ok(Code::Fine);
    }
    let kept = context.read().and_then(|_| context.write()).and_then(|store| {
        store.tell_of_all(&event)?;
        Ok(Handle::new(store)?)
    });
    let errors = match kept {
        Ok(store) => connect::block_on(courier.deliver(&store, context.now, BUDGET))??.errors,
        Err(error) => {
            context.output.detail(&format!("not kept: {error:#}"));
            connect::block_on(send_past_the_store(&courier, &event, context))?
        }
    };
    place::settle(&context.place)?;
    for error in &errors {
        tell(&text::line(error));
    }
    Ok(if errors.is_empty() { Code::Fine } else { Code::Failed })
}

async fn send_past_the_store(courier: &Courier, event: &Event, context: &Context) -> Vec<String> {
    let mut errors = Vec::new();
    for name in context.config.telling().channels(event) {
        if let Err(error) = courier.send_now(name, event, None, context.now).await {
            errors.push(format!("{name}: {error}"));
        }
    }
    errors
}

fn failed_event(unit: &str, now: UnixMs) -> Event {
    let said = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty()).map(|v| text::line(&v));
    let result = said("MONITOR_SERVICE_RESULT").unwrap_or_else(|| "unknown".to_owned());
    let status = said("MONITOR_EXIT_STATUS").unwrap_or_else(|| "unknown".to_owned());
    Event {
        // A unit that fails again and again is told once an hour.
        key: format!("failed:{unit}:{}", now.0.div_euclid(HOUR_MS)),
        kind: EventKind::RunFailed,
        at: now,
        severity: Severity::Critical,
        about: None,
        title: format!("{unit} failed"),
        text: format!(
            "Result {result}, exit status {status}.\njournalctl -u {unit} says why, daznode health-check what is wrong now."
        ),
        alert_key: None,
        since: None,
        report_id: None,
    }
}
