//! One row a channel.

use unicode_width::UnicodeWidthStr;

use super::Style;
use crate::render::table::{Field, fields};
use crate::render::{Page, number, safe, spark};
use crate::report::{ChannelRow, Report};
use crate::units::{Ppm, Sat};

/// The width from which each of the columns that may go is shown.
const WITH_MARKET: usize = 76;
const WITH_FLOW: usize = 68;

pub(super) fn table(report: &Report, page: &Page) -> String {
    let list = &report.metrics.channels.list;
    if list.is_empty() {
        let why = if report.metrics.channels.open == Some(0) { "No open channels." } else { "Channels are not known." };
        return format!("{why}\n");
    }
    let width = page.columns();
    let others = match width {
        WITH_MARKET.. => 67,
        WITH_FLOW.. => 59,
        _ => 43,
    };
    let peer = width.saturating_sub(others).clamp(8, 24);
    let mut headers = vec!["peer", "size", "ours", "ppm"];
    if width >= WITH_MARKET {
        headers.push("market");
    }
    if width >= WITH_FLOW {
        headers.extend(["7d in", "7d out"]);
    }
    headers.extend(["30d fees", "last"]);
    let rows: Vec<Vec<Field>> = list.iter().map(|channel| row(report, channel, width, peer)).collect();
    let mut out = fields(&headers, &rows, page);
    out.push_str(&legend(list, page));
    out
}

fn row(report: &Report, channel: &ChannelRow, width: usize, peer: usize) -> Vec<Field> {
    let mut row = vec![
        name(channel, peer),
        Field::plain(&number::compact(channel.capacity_sat)),
        Field::plain(&balance(channel)),
        Field::plain(&rate(channel.fee_rate_ppm)),
    ];
    if width >= WITH_MARKET {
        row.push(Field::new(Style::Dim, &rate(channel.market_fee_rate_ppm)));
    }
    if width >= WITH_FLOW {
        row.push(Field::plain(&moved(channel.week.amount_in_msat.floor_sat())));
        row.push(Field::plain(&moved(channel.week.amount_out_msat.floor_sat())));
    }
    let earned = channel.month.fees_earned_msat;
    row.push(Field::plain(&fees(earned.floor_sat())));
    let last = channel.last_forward_at.map(|at| number::span(report.window_end.0.since(at.0)));
    row.push(Field::plain(last.as_deref().unwrap_or("-")));
    row
}

/// The peer with a sign for what is unusual: `!` not usable, `p` private.
fn name(channel: &ChannelRow, width: usize) -> Field {
    let alias = channel.peer_alias.as_deref().filter(|alias| !safe::line(alias).trim().is_empty());
    let key = channel.peer.short();
    let style = if channel.active { Style::Plain } else { Style::Warn };
    let sign = match (channel.active, channel.private) {
        (false, _) => " !",
        (true, true) => " p",
        (true, false) => "",
    };
    let text = safe::clip(alias.unwrap_or(&key), width.saturating_sub(sign.width()));
    // A cell must not fold, so its spaces don't break.
    Field::new(style, &format!("{text}{sign}"))
}

/// Our share as a bar and in words.
fn balance(channel: &ChannelRow) -> String {
    match channel.local_sat.msat().ppm_of(channel.capacity_sat.msat()) {
        Some(Ppm(ppm)) => {
            let share = f64::from(i32::try_from(ppm).unwrap_or(0)) / 1_000_000.0;
            // Only a channel that is full on our side says 100.
            let percent = if ppm < 1_000_000 { (share * 100.0).min(99.0) } else { 100.0 };
            format!("{} {percent:>3.0}%", spark::share(share, 4))
        }
        None => "-".to_owned(),
    }
}

fn rate(rate: Option<Ppm>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| number::thousands(rate.0))
}

fn moved(amount: Sat) -> String {
    if amount == Sat::ZERO { "-".to_owned() } else { number::compact(amount) }
}

/// Fees in full up to a million.
fn fees(amount: Sat) -> String {
    match amount.get() {
        0 => "-".to_owned(),
        1..1_000_000 => number::thousands(amount.get()),
        _ => number::compact(amount),
    }
}

fn legend(list: &[ChannelRow], page: &Page) -> String {
    let mut notes = vec!["amounts in sat"];
    if list.iter().any(|channel| !channel.active) {
        notes.push("! not usable now");
    }
    if list.iter().any(|channel| channel.private && channel.active) {
        notes.push("p private");
    }
    if page.columns() >= WITH_MARKET && list.iter().any(|channel| channel.market_fee_rate_ppm.is_some()) {
        notes.push("market: ppm that others charge to this peer");
    }
    let mut sheet = super::Sheet::new(page.width);
    let pieces = notes.into_iter().map(|note| super::Line::of(Style::Dim, note)).collect();
    sheet.pieces(super::Line::new(), pieces, " · ");
    sheet.text(page.colour)
}
