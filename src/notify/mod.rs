//! Messages to the outside: what is said of an event, how each service wants it, and that it arrives.
//!
//! The store's outbox holds what is to be told; [`Courier::deliver`] takes it from there, at least once and with the same
//! key at each try. Secrets are read when they are used, and stand in no error, log or output.

mod channel;
mod deliver;
mod discord;
mod email;
mod failed;
mod hide;
mod markup;
mod matrix;
mod message;
mod ntfy;
mod post;
mod slack;
mod telegram;
#[cfg(test)]
mod tests;
mod webhook;

use std::time::Duration;

pub use channel::Places;
use channel::Ready;
pub use deliver::Delivered;
use email::shown;
use failed::Failed;
use message::Message;
use post::Post;

use crate::config::Config;
use crate::config::notify::{Kind, Notify};
use crate::notice::Event;
use crate::report::Report;
use crate::units::UnixMs;

/// For one try of one message.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Brings messages to the channels of the config.
#[derive(Clone, Debug)]
pub struct Courier {
    notify: Notify,
    places: Places,
    proxy: Option<String>,
    offline: bool,
    attempt: Duration,
}

/// How a channel is written to.
enum Packet {
    Http(Post),
    Mail(Box<lettre::Message>),
}

impl Courier {
    /// For the channels of the config.
    pub fn new(config: &Config, places: Places) -> Self {
        Self {
            notify: config.notify.clone(),
            places,
            proxy: config.network.proxy.clone(),
            offline: config.network.offline,
            attempt: ATTEMPT,
        }
    }

    /// The same with another limit for one try.
    #[must_use]
    pub const fn within(mut self, attempt: Duration) -> Self {
        self.attempt = attempt;
        self
    }

    /// Whether there is anybody to tell.
    pub fn is_idle(&self) -> bool {
        self.notify.channels.is_empty()
    }

    /// Sends an event to one channel at once, past the outbox. The error is one line without secrets.
    pub async fn send_now(
        &self,
        channel: &str,
        event: &Event,
        report: Option<&Report>,
        now: UnixMs,
    ) -> Result<(), String> {
        let send = async {
            if self.offline {
                return Err(Failed::setup("offline: nothing was sent"));
            }
            let ready = self.ready(channel)?;
            let message = message::message(event, report, ready.depth(), ready.hides());
            let late = |_| Failed::setup(format!("no answer within {} s", self.attempt.as_secs().max(1)));
            tokio::time::timeout(self.attempt, self.send(&ready, &message, now, self.attempt)).await.map_err(late)?
        };
        send.await.map_err(|failed| failed.to_string())
    }

    /// The exact message that a channel would get, without what is secret.
    pub fn show(&self, channel: &str, event: &Event, report: Option<&Report>, now: UnixMs) -> Result<String, String> {
        let show = || {
            let ready = self.ready(channel)?;
            let message = message::message(event, report, ready.depth(), ready.hides());
            Ok(match packet(&ready, &message, now)? {
                Packet::Http(post) => post.shown(&ready),
                Packet::Mail(mail) => shown(&mail),
            })
        };
        show().map_err(|failed: Failed| failed.to_string())
    }

    /// What is wrong with the channels and the dead-man switch as far as it can be told without sending anything: their
    /// files, and what these hold.
    pub fn faults(&self) -> Vec<String> {
        let channels = self.notify.channels.keys().filter_map(|name| {
            let fault = self.ready(name).err()?;
            Some(format!("{name}: {fault}"))
        });
        let calls = [&self.notify.heartbeat_url_file, &self.notify.heartbeat_fail_url_file];
        let calls = calls.into_iter().flatten().filter_map(|file| {
            let fault = self.places.url("heartbeat's address", file, &self.notify).err()?;
            Some(fault.to_string())
        });
        channels.chain(calls).collect()
    }

    /// Tells the dead-man switch how a run ended, where one is set. The error is one line without secrets.
    pub async fn heartbeat(&self, good: bool, now: UnixMs) -> Result<(), String> {
        let file = if good { &self.notify.heartbeat_url_file } else { &self.notify.heartbeat_fail_url_file };
        let Some(file) = file.as_deref().filter(|_| !self.offline) else { return Ok(()) };
        let call = async {
            let url = self.places.url("heartbeat's address", file, &self.notify)?;
            post::call(&self.http(self.proxy.as_deref(), self.attempt)?, &url, now).await
        };
        call.await.map_err(|failed| format!("the heartbeat was not heard: {failed}"))
    }

    fn ready(&self, name: &str) -> Result<Ready<'_>, Failed> {
        let channel = self.notify.channels.get(name);
        let channel = channel.ok_or_else(|| Failed::setup(format!("the config has no channel {name}")))?;
        Ready::new(channel, &self.notify, &self.places)
    }

    /// One try.
    async fn send(&self, ready: &Ready<'_>, message: &Message, now: UnixMs, limit: Duration) -> Result<(), Failed> {
        let proxy = ready.channel.proxy.as_deref().or(self.proxy.as_deref());
        match packet(ready, message, now)? {
            Packet::Http(post) => post.send(&self.http(proxy, limit)?, ready, now).await,
            Packet::Mail(mail) => email::send(&mail, ready, proxy, limit).await,
        }
    }

    fn http(&self, proxy: Option<&str>, limit: Duration) -> Result<crate::sources::http::Http, Failed> {
        let private: Vec<String> = self.notify.allow_private.iter().cloned().collect();
        post::client(proxy, &private, self.offline, limit)
    }
}

/// The message as the channel's service wants it.
fn packet(ready: &Ready<'_>, message: &Message, now: UnixMs) -> Result<Packet, Failed> {
    Ok(Packet::Http(match ready.channel.kind {
        Kind::Email => return Ok(Packet::Mail(Box::new(email::compose(ready, message)?))),
        Kind::Telegram => telegram::post(ready, message)?,
        Kind::Discord => discord::post(ready, message)?,
        Kind::Slack => slack::post(ready, message)?,
        Kind::Ntfy => ntfy::post(ready, message)?,
        Kind::Matrix => matrix::post(ready, message)?,
        Kind::Webhook => webhook::post(ready, message, now)?,
    }))
}
