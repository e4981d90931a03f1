//! An incoming webhook of Slack, in its mrkdwn.

use serde_json::json;

use super::channel::Ready;
use super::failed::Failed;
use super::markup::{SLACK, fit, utf16};
use super::message::Message;
use super::post::Post;

/// Slack takes more, but cuts what is longer than this where it likes.
const LIMIT: usize = 4000;

pub(super) fn post(ready: &Ready<'_>, message: &Message) -> Result<Post, Failed> {
    let mut lines = vec![SLACK.strong(&message.title)];
    lines.extend(SLACK.lines(&message.pieces));
    let body = json!({
        "text": fit(&lines, ready.limit(LIMIT), "\n", utf16),
        "mrkdwn": true,
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    Ok(Post::json(ready.at(&[])?, &body))
}
