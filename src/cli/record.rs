//! `daznode record`: keep a node's answers in a folder, for tests, bug reports and demos.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::connect::{self, Nodes};
use super::failure::usage;
use super::select::{self, Which, name};
use super::{Context, clock};
use crate::exit::Code;
use crate::sources::recorder;
use crate::sources::spec::SourceSpec;

/// Keep the answers of a live node in a folder
///
/// The folder is a recording: `daznode enable --recording DIR` makes reports of it. With --redact keys, aliases, amounts
/// that tell too much and everything secret are replaced, so that it can be shared; look it through all the same.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode record bob --out bob-today\n  \
    daznode record bob --out bob-for-a-bug-report --redact")]
pub(super) struct Record {
    /// The node: its pubkey, the first digits of it, or its alias
    #[arg(value_parser = select::node)]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
    /// The folder, which must be empty or not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace what should not be shared
    #[arg(long)]
    redact: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(record: &Record, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    let profile = record.which.one(&store, record.node.as_deref())?;
    let SourceSpec::Lnd(spec) = &profile.source else {
        return Err(usage(format!(
            "{} is no live node: only one that LND answers for can be recorded",
            name(&profile)
        )));
    };
    let nodes = Nodes::new(context);
    let recorded = connect::block_on(async {
        let live = nodes.open(spec).await?;
        recorder::record(&live.connection, live.extras.clone(), &record.out, clock::now(), record.redact).await
    })??;
    let (answers, bytes) = (recorded.answers, recorded.bytes);
    context.output.note(&format!("Recorded {answers} answers ({bytes} bytes) in {}.", record.out.display()));
    for gap in &recorded.gaps {
        context.output.note(&format!("Not recorded: {}: {}", gap.part, super::text::line(&gap.reason)));
    }
    if record.json {
        let out = record.out.display().to_string();
        context.output.json(&json!({ "folder": out, "answers": answers, "bytes": bytes, "gaps": recorded.gaps }))?;
    }
    Ok(if recorded.gaps.is_empty() { Code::Fine } else { Code::Partial })
}
