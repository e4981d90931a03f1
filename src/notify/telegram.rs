//! A chat of Telegram: `sendMessage` of its bot API, in its HTML.

use serde_json::json;

use super::channel::Ready;
use super::failed::Failed;
use super::markup::{TELEGRAM, fit, utf16};
use super::message::Message;
use super::post::{Post, exposed};
use crate::report::Severity;

/// Telegram takes 4096 after its marks are read; the marks are counted too, which is on the safe side.
const LIMIT: usize = 4096;

pub(super) fn post(ready: &Ready<'_>, message: &Message) -> Result<Post, Failed> {
    let mut lines = vec![TELEGRAM.strong(&message.title)];
    lines.extend(TELEGRAM.lines(&message.pieces));
    let body = json!({
        "chat_id": ready.channel.chat_id,
        "text": fit(&lines, ready.limit(LIMIT), "\n", utf16),
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
        "disable_notification": message.severity == Severity::Info,
    });
    let bot = format!("bot{}", exposed(ready.token.as_ref()));
    Ok(Post::json(ready.at(&[&bot, "sendMessage"])?, &body))
}
