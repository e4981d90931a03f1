//! `daznode advice`: what was advised, what of it was followed, and what came of that.

use clap::Args;

use super::Context;
use super::select::{self, Which};
use super::show::Form;
use crate::exit::Code;
use crate::render::{self, AdviceNode, AdviceRow};
use crate::report::{AdviceState, Time};
use crate::store;
use crate::units::{DAY_MS, UnixMs};

/// Days that are looked back without `--all`: as far as a followed advice is measured, and some.
const DAYS: i64 = 45;

/// List the advice: open, followed with what it promised and what came, ignored
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode advice\n  \
    daznode advice bob --all\n  \
    daznode advice --json | jq -r '.advice[] | select(.state == \"open\") | .suggested_action'")]
pub(super) struct Advice {
    /// The node: its pubkey, the first digits of it, or its alias
    #[arg(value_parser = select::node)]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
    /// All that was ever advised, also what another took the place of or what went away
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
}

pub(super) fn run(advice: &Advice, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    let profile = advice.which.one(&store, advice.node.as_deref())?;
    context.tell_store();
    let since = if advice.all { UnixMs(0) } else { context.now.plus(-DAYS * DAY_MS) };
    let rows = store.advice(&profile, since)?.into_iter().map(row);
    let rows: Vec<AdviceRow> = rows.filter(|row| advice.all || is_told(row.state)).collect();
    let node = AdviceNode {
        user_id: profile.user.clone(),
        node_pubkey: profile.pubkey.clone(),
        node_alias: profile.alias.clone(),
    };
    let text = render::advice(&node, &rows, advice.form.format(), &context.page());
    context.output.print(&text)?;
    Ok(Code::Fine)
}

/// What went away by itself needs no word unless it is asked for.
const fn is_told(state: AdviceState) -> bool {
    !matches!(state, AdviceState::Superseded | AdviceState::Expired)
}

fn row(row: store::AdviceRow) -> AdviceRow {
    let advice = row.advice;
    AdviceRow {
        id: advice.id,
        advice_key: advice.key,
        state: advice.state,
        title: advice.title,
        suggested_action: advice.command,
        act: advice.act,
        promised_msat: advice.promised,
        promised_low_msat: advice.promised_low,
        promised_high_msat: advice.promised_high,
        cost_msat: advice.cost,
        first_advised: Time(advice.first_at),
        last_advised: Time(advice.last_at),
        followed_at: advice.followed_at.map(Time),
        outcomes: advice.outcomes,
    }
}
