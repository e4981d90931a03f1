//! `daznode alerts`: what stands, and what the operator says of it.

mod pick;
mod time;

use clap::{Args, Subcommand, ValueEnum};

use super::Context;
use super::failure::{fail, usage};
use super::select::{self, Which};
use super::text;
use crate::analysis::RULES;
use crate::exit::Code;
use crate::history::Mute;
use crate::notice::{Lived, Stats};
use crate::render::{self, AdviceNode, AlertLife, AlertLine, EventLine, MessageLine, MuteLine};
use crate::report::{AlertState, Severity, Time};
use crate::store::{AlertAct, AlertRow, Profile, Store};
use crate::units::{DAY_MS, UnixMs};
use pick::Picked;

/// An alert is called new, or back, for a day.
const YOUNG_MS: i64 = DAY_MS;

/// List the alerts that stand, acknowledge, comment or mute them, and see how long they took
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode alerts list\n  \
    daznode alerts show htlc-expiry\n  \
    daznode alerts ack htlc-expiry --comment \"peer is asked\"\n  \
    daznode alerts mute disk-full --until 3d --reason \"new disk is on its way\"\n  \
    daznode alerts stats --days 90 --json")]
pub(super) struct Alerts {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    List(List),
    Show(Show),
    Ack(Ack),
    Comment(Comment),
    Mute(MuteArgs),
    Unmute(Unmute),
    Resolve(Resolve),
    Stats(StatsArgs),
}

impl Alerts {
    /// Whether it writes nothing to the store.
    pub(super) const fn reads(&self) -> bool {
        matches!(self.act, Act::List(_) | Act::Show(_) | Act::Stats(_))
    }
}

/// Which node's alerts.
#[derive(Debug, Args)]
struct Of {
    /// The node: its pubkey, the first digits of it, or its alias
    #[arg(long, value_name = "NODE", value_parser = select::node)]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// List alerts: those that stand, and with --all or --resolved those that are over
#[derive(Debug, Args)]
struct List {
    /// The node: its pubkey, the first digits of it, or its alias
    #[arg(value_parser = select::node)]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Those that stand and those that are over
    #[arg(long, conflicts_with_all = ["open", "muted", "resolved"])]
    all: bool,
    /// Only those that stand and are neither acknowledged nor muted
    #[arg(long, conflicts_with_all = ["muted", "resolved"])]
    open: bool,
    /// Only those that are muted
    #[arg(long, conflicts_with = "resolved")]
    muted: bool,
    /// Only those that are over
    #[arg(long)]
    resolved: bool,
    /// Only those that are at least so bad
    #[arg(long, value_name = "SEVERITY", value_enum)]
    severity: Option<Least>,
    /// Of those that are over, the ones of the last so many days
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A severity, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Least {
    /// Can lose money today
    Critical,
    /// Costs something if it stays
    Warning,
    /// All of them
    Info,
}

impl Least {
    const fn severity(self) -> Severity {
        match self {
            Self::Critical => Severity::Critical,
            Self::Warning => Severity::Warning,
            Self::Info => Severity::Info,
        }
    }
}

/// Show one alert with all that happened to it and what was sent
#[derive(Debug, Args)]
struct Show {
    /// Its key, its id, or the beginning of either
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    of: Of,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Say that you know: it is not repeated, unless it gets worse
#[derive(Debug, Args)]
struct Ack {
    /// Keys or ids, or the beginning of them
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    /// A word on it
    #[arg(long, value_name = "TEXT", value_parser = time::words)]
    comment: Option<String>,
    #[command(flatten)]
    of: Of,
}

/// Keep a comment with an alert
#[derive(Debug, Args)]
struct Comment {
    /// Its key, its id, or the beginning of either
    #[arg(value_name = "KEY")]
    key: String,
    /// The comment
    #[arg(value_parser = time::words)]
    text: String,
    #[command(flatten)]
    of: Of,
}

/// Send nothing of an alert, or of a rule, for a while: reports still list it
#[derive(Debug, Args)]
struct MuteArgs {
    /// The key of an alert or the beginning of it, or the name of a rule
    #[arg(value_name = "KEY|RULE")]
    key: String,
    /// Until when: a day (2026-12-01, from its start, UTC), a moment (2026-12-01T06:00Z) or a time from now (3d, 12h, 30m)
    #[arg(long, value_name = "WHEN")]
    until: String,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", value_parser = time::words)]
    reason: String,
    #[command(flatten)]
    of: Of,
}

/// End a mute
#[derive(Debug, Args)]
struct Unmute {
    /// What was muted: the key of an alert or the beginning of it, or the name of a rule
    #[arg(value_name = "KEY|RULE")]
    key: String,
    #[command(flatten)]
    of: Of,
}

/// Call an alert over: the next look opens it again if it still stands
#[derive(Debug, Args)]
struct Resolve {
    /// Its key, its id, or the beginning of either
    #[arg(value_name = "KEY")]
    key: String,
    /// A word on it
    #[arg(long, value_name = "TEXT", value_parser = time::words)]
    comment: Option<String>,
    #[command(flatten)]
    of: Of,
}

/// Count alerts by severity and rule, with the time until they were acknowledged and over
#[derive(Debug, Args)]
struct StatsArgs {
    /// The node: its pubkey, the first digits of it, or its alias
    #[arg(value_parser = select::node)]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Of alerts that were opened in the last so many days
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(alerts: &Alerts, context: &Context) -> anyhow::Result<Code> {
    match &alerts.act {
        Act::List(list) => run_list(list, context),
        Act::Show(show) => run_show(show, context),
        Act::Ack(ack) => run_ack(ack, context),
        Act::Comment(comment) => {
            let done = act_on(context, &comment.of, &comment.key, AlertAct::Comment, Some(&comment.text))?;
            context.output.note(&format!("{}: commented.", text::line(&done.alert_key)));
            Ok(Code::Fine)
        }
        Act::Mute(mute) => run_mute(mute, context),
        Act::Unmute(unmute) => run_unmute(unmute, context),
        Act::Resolve(resolve) => {
            let done = act_on(context, &resolve.of, &resolve.key, AlertAct::Resolve, resolve.comment.as_deref())?;
            let key = text::line(&done.alert_key);
            context.output.note(&format!("{key}: resolved by hand. If it still stands, the next look opens it again."));
            Ok(Code::Fine)
        }
        Act::Stats(stats) => run_stats(stats, context),
    }
}

fn run_list(list: &List, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    let profile = list.which.one(&store, list.node.as_deref())?;
    context.tell_store();
    let back = i64::from(list.days).saturating_mul(DAY_MS);
    let mutes = store.mutes(&profile, context.now)?;
    let wanted = |line: &AlertLine| {
        let least = list.severity.is_none_or(|least| line.severity >= least.severity());
        let state = match line.state {
            AlertState::Resolved => list.all || list.resolved,
            AlertState::Muted => !list.open && !list.resolved,
            AlertState::Acknowledged => !list.open && !list.muted && !list.resolved,
            AlertState::New | AlertState::Back | AlertState::Ongoing => !list.muted && !list.resolved,
        };
        least && state
    };
    let rows = store.alert_rows(&profile, context.now.plus(-back))?;
    let lines: Vec<AlertLine> = rows.into_iter().map(|row| line(row, &mutes, context.now)).filter(wanted).collect();
    let mutes: Vec<MuteLine> = mutes.into_iter().map(mute_line).collect();
    let node = node(&profile);
    let text = if list.json {
        render::alerts_json(&node, &lines, &mutes)
    } else {
        render::alerts(&node, &lines, &mutes, &context.page())
    };
    context.output.print(&text)?;
    Ok(Code::Fine)
}

fn run_show(show: &Show, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    let profile = show.of.which.one(&store, show.of.node.as_deref())?;
    context.tell_store();
    let mutes = store.mutes(&profile, context.now)?;
    let rows = store.alert_rows(&profile, UnixMs(0))?;
    let found = pick::alert(&rows, &show.key)?.clone();
    let events = store.alert_events(&profile, found.id)?.into_iter();
    let messages = store.alert_messages(&profile, found.id)?.into_iter();
    let mut others: Vec<AlertLine> = rows
        .into_iter()
        .filter(|row| row.alert_key == found.alert_key && row.id != found.id)
        .map(|row| line(row, &mutes, context.now))
        .collect();
    others.sort_by_key(|other| std::cmp::Reverse(other.occurrence));
    let life = AlertLife {
        alert: line(found, &mutes, context.now),
        events: events
            .map(|event| EventLine { at: Time(event.at), kind: event.kind, severity: event.severity, note: event.note })
            .collect(),
        messages: messages
            .map(|message| MessageLine {
                channel: message.channel,
                kind: message.kind,
                state: message.state,
                created_at: Time(message.created_at),
                ended_at: message.ended_at.map(Time),
                tries: message.tries,
            })
            .collect(),
        others,
    };
    let node = node(&profile);
    let text = if show.json { render::alert_json(&node, &life) } else { render::alert(&node, &life, &context.page()) };
    context.output.print(&text)?;
    Ok(Code::Fine)
}

fn run_ack(ack: &Ack, context: &Context) -> anyhow::Result<Code> {
    // All are found before the first is touched.
    let store = context.read()?;
    let profile = ack.of.which.one(&store, ack.of.node.as_deref())?;
    let rows = store.alert_rows(&profile, UnixMs(0))?;
    let found = ack.keys.iter().map(|key| pick::open(&rows, key)).collect::<anyhow::Result<Vec<&AlertRow>>>()?;
    let store = context.write()?;
    for row in found {
        done(&store, &profile, row, AlertAct::Acknowledge, ack.comment.as_deref(), context.now)?;
        context.output.note(&format!("{}: acknowledged.", text::line(&row.alert_key)));
    }
    Ok(Code::Fine)
}

/// Finds one alert and does one thing with it.
fn act_on(context: &Context, of: &Of, key: &str, act: AlertAct, comment: Option<&str>) -> anyhow::Result<AlertRow> {
    let store = context.read()?;
    let profile = of.which.one(&store, of.node.as_deref())?;
    let rows = store.alert_rows(&profile, UnixMs(0))?;
    let found = if act == AlertAct::Comment { pick::alert(&rows, key)? } else { pick::open(&rows, key)? };
    done(&context.write()?, &profile, found, act, comment, context.now)?;
    Ok(found.clone())
}

fn done(
    store: &Store,
    profile: &Profile,
    row: &AlertRow,
    act: AlertAct,
    comment: Option<&str>,
    now: UnixMs,
) -> anyhow::Result<()> {
    if store.act_on_alert(profile, row.id, act, comment, now)? {
        return Ok(());
    }
    Err(fail(Code::Failed, format!("{}: it was resolved in the meantime", text::line(&row.alert_key))))
}

fn run_mute(mute: &MuteArgs, context: &Context) -> anyhow::Result<Code> {
    let until = time::until(&mute.until, context.now).map_err(usage)?;
    let store = context.read()?;
    let profile = mute.of.which.one(&store, mute.of.node.as_deref())?;
    let pattern = pattern(&store, &profile, &mute.key)?;
    let new = Mute { pattern, from: context.now, until, reason: mute.reason.clone() };
    context.write()?.mute(&profile, &new)?;
    let until = render::number::short_moment(until);
    context.output.note(&format!("{}: nothing is sent until {until}.", text::line(&new.pattern)));
    Ok(Code::Fine)
}

fn run_unmute(unmute: &Unmute, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    let profile = unmute.of.which.one(&store, unmute.of.node.as_deref())?;
    let patterns: Vec<String> = store.mutes(&profile, context.now)?.into_iter().map(|mute| mute.pattern).collect();
    let pattern = pick::one(patterns.iter().map(String::as_str), &unmute.key, "mute")?;
    if !context.write()?.unmute(&profile, pattern, context.now)? {
        return Err(fail(Code::Failed, format!("{}: its mute ended in the meantime", text::line(pattern))));
    }
    context.output.note(&format!("{}: no longer muted.", text::line(pattern)));
    Ok(Code::Fine)
}

/// What a mute is about: a rule by its name, else one alert.
fn pattern(store: &Store, profile: &Profile, key: &str) -> anyhow::Result<String> {
    let rule = key.strip_suffix(":*").unwrap_or(key);
    if RULES.iter().any(|known| known.name == rule) {
        return Ok(format!("{rule}:*"));
    }
    let rows = store.alert_rows(profile, UnixMs(0))?;
    match pick::find(&rows, key) {
        Picked::One(row) => Ok(row.alert_key.clone()),
        Picked::Several(keys) => Err(pick::several(key, "alert", &keys)),
        Picked::None => {
            let names = rows.iter().map(|row| row.alert_key.as_str()).chain(RULES.iter().map(|rule| rule.name));
            Err(pick::none(names, key, "alert or rule"))
        }
    }
}

fn run_stats(args: &StatsArgs, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    let profile = args.which.one(&store, args.node.as_deref())?;
    context.tell_store();
    let since = context.now.plus(i64::from(args.days).saturating_mul(-DAY_MS));
    let lived = store.alert_rows(&profile, since)?.into_iter().filter(|row| row.opened_at >= since);
    let lived: Vec<Lived> = lived
        .map(|row| Lived {
            alert_key: row.alert_key,
            rule: row.rule,
            severity: row.severity,
            opened: row.opened_at,
            acknowledged: row.first_acknowledged_at,
            resolved: row.resolved_at,
            flapping: row.flapping,
        })
        .collect();
    let (node, stats) = (node(&profile), Stats::of(&lived));
    let text = if args.json {
        render::alert_stats_json(&node, args.days, &stats)
    } else {
        render::alert_stats(&node, args.days, &stats, &context.page())
    };
    context.output.print(&text)?;
    Ok(Code::Fine)
}

fn node(profile: &Profile) -> AdviceNode {
    AdviceNode { user_id: profile.user.clone(), node_pubkey: profile.pubkey.clone(), node_alias: profile.alias.clone() }
}

fn mute_line(mute: Mute) -> MuteLine {
    MuteLine { pattern: mute.pattern, from: Time(mute.from), until: Time(mute.until), reason: mute.reason }
}

/// A row as it is shown: with the mute that covers it, and its state now.
fn line(row: AlertRow, mutes: &[Mute], now: UnixMs) -> AlertLine {
    let muted = mutes.iter().filter(|mute| mute.covers(&row.alert_key, now)).map(|mute| mute.until).max();
    let muted = muted.filter(|_| row.resolved_at.is_none());
    let state = if row.resolved_at.is_some() {
        AlertState::Resolved
    } else {
        let seen = AlertState::seen(now.since(row.opened_at) >= YOUNG_MS, row.occurrence > 1);
        AlertState::said(seen, row.acknowledged_at.is_some(), muted.is_some())
    };
    AlertLine {
        id: row.id,
        alert_key: row.alert_key,
        rule: row.rule,
        subject: row.subject,
        severity: row.severity,
        state,
        title: row.title,
        description: row.description,
        requires_action: row.requires_action,
        detected_at: Time(row.opened_at),
        last_seen_at: Time(row.last_at),
        resolved_at: row.resolved_at.map(Time),
        acknowledged_at: row.acknowledged_at.map(Time),
        muted_until: muted.map(Time),
        occurrence: row.occurrence,
        flapping: row.flapping,
        told: row.told,
    }
}
