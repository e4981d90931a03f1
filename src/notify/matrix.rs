//! A room of Matrix. The transaction id is the message's key, so that a server that has it takes it once.

use serde_json::json;

use super::channel::Ready;
use super::failed::Failed;
use super::markup::{MATRIX, PLAIN, fit};
use super::message::Message;
use super::post::Post;

/// Bytes of each of the two texts; an event may have 64 KiB in all.
const LIMIT: usize = 20_000;

pub(super) fn post(ready: &Ready<'_>, message: &Message) -> Result<Post, Failed> {
    let write = |markup: &super::markup::Markup, between: &str| {
        let mut lines = vec![markup.strong(&message.title)];
        lines.extend(markup.lines(&message.pieces));
        fit(&lines, ready.limit(LIMIT), between, str::len)
    };
    let body = json!({
        "msgtype": "m.text",
        "body": write(&PLAIN, "\n"),
        "format": "org.matrix.custom.html",
        "formatted_body": write(&MATRIX, "<br>"),
        "m.mentions": {},
    });
    let room = ready.channel.room.as_deref().unwrap_or_default();
    let url = ready.at(&["_matrix", "client", "v3", "rooms", room, "send", "m.room.message", &message.key])?;
    Ok(Post { put: true, key: ready.token.clone(), ..Post::json(url, &body) })
}
