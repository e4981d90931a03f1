//! A topic of ntfy, published as JSON: the topic, which whoever knows it can read, stays out of the address, and a title
//! in any script needs no header.

use serde_json::json;

use super::channel::Ready;
use super::failed::Failed;
use super::markup::{PLAIN, fit};
use super::message::Message;
use super::post::Post;
use crate::notice::EventKind;
use crate::report::Severity;

/// Bytes; what is longer becomes a file.
const LIMIT: usize = 4000;
/// Bytes of the title.
const TITLE: usize = 250;

pub(super) fn post(ready: &Ready<'_>, message: &Message) -> Result<Post, Failed> {
    let (priority, tag) = match (message.kind, message.severity) {
        (EventKind::AlertResolved, _) => (3, "white_check_mark"),
        (_, Severity::Critical) => (5, "rotating_light"),
        (_, Severity::Warning) => (4, "warning"),
        (_, Severity::Info) => (3, "information_source"),
    };
    let body = json!({
        "topic": ready.channel.topic,
        "title": fit(&[(PLAIN.escape)(&crate::render::safe::clip(&message.title, 100))], TITLE, "", str::len),
        "message": fit(&PLAIN.lines(&message.pieces), ready.limit(LIMIT), "\n", str::len),
        "priority": priority,
        "tags": [tag],
    });
    Ok(Post { key: ready.token.clone(), ..Post::json(ready.at(&[])?, &body) })
}
