//! A webhook of Discord. Nobody is mentioned, and no address is shown with a picture.

use serde_json::json;

use super::channel::Ready;
use super::failed::Failed;
use super::markup::{DISCORD, fit, utf16};
use super::message::Message;
use super::post::Post;

const LIMIT: usize = 2000;
/// No previews of addresses.
const SUPPRESS_EMBEDS: u32 = 4;

pub(super) fn post(ready: &Ready<'_>, message: &Message) -> Result<Post, Failed> {
    let mut lines = vec![DISCORD.strong(&message.title)];
    lines.extend(DISCORD.lines(&message.pieces));
    let body = json!({
        "content": fit(&lines, ready.limit(LIMIT), "\n", utf16),
        "allowed_mentions": { "parse": [] },
        "flags": SUPPRESS_EMBEDS,
    });
    Ok(Post::json(ready.at(&[])?, &body))
}
