//! One stream, from its beginning to its end, and from its end to its next beginning.

use std::convert::Infallible;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::mpsc::error::SendError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Decoder, Limits};
use crate::sources::Error;
use crate::sources::answers::{
    Answers, GET_STATE, Method, SUBSCRIBE_CHANNEL_EVENTS, SUBSCRIBE_CHANNEL_GRAPH, SUBSCRIBE_HTLC_EVENTS,
    SUBSCRIBE_PEER_EVENTS,
};
use crate::sources::lnd::channel::Connection;
use crate::sources::streams::{Seen, Stream, Word, WordSender};
use crate::units::UnixMs;

fn method(stream: Stream) -> &'static Method {
    match stream {
        Stream::Htlcs => &SUBSCRIBE_HTLC_EVENTS,
        Stream::Channels => &SUBSCRIBE_CHANNEL_EVENTS,
        Stream::Peers => &SUBSCRIBE_PEER_EVENTS,
        Stream::Graph => &SUBSCRIBE_CHANNEL_GRAPH,
    }
}

/// One stream that is followed.
pub(super) struct Followed<'a> {
    connection: &'a Connection,
    limits: &'a Limits,
    stream: Stream,
    clock: &'a dyn Fn() -> UnixMs,
    out: WordSender,
    /// What it remembers outlives a connection: what was forwarded before an end may fail after it.
    decoder: Decoder,
    /// What one message told; kept for its room.
    seen: Vec<Seen>,
    /// Since when it stands, where it does.
    standing: Option<Instant>,
    stood_until: UnixMs,
    /// The last error that was told while it did not stand.
    told: Option<Error>,
}

/// Why a try is over.
enum Over {
    /// Nobody listens any more.
    Unheard,
    /// The stream broke off or did not begin.
    Broken(Error),
}

impl From<SendError<Word>> for Over {
    fn from(_: SendError<Word>) -> Self {
        Self::Unheard
    }
}

impl<'a> Followed<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        limits: &'a Limits,
        decoder: Decoder,
        clock: &'a dyn Fn() -> UnixMs,
        out: WordSender,
    ) -> Self {
        let (stream, stood_until) = (decoder.stream(), clock());
        Self {
            connection,
            limits,
            stream,
            clock,
            out,
            decoder,
            seen: Vec::new(),
            standing: None,
            stood_until,
            told: None,
        }
    }

    /// Follows until nobody listens. While it waits because its credentials are refused, the refusal is among `refusals`.
    pub(super) async fn run(mut self, refusals: &watch::Sender<Vec<Error>>) {
        let mut pauses = self.pauses();
        while let Err(Over::Broken(error)) = self.listen().await {
            if self.standing.is_some_and(|since| since.elapsed() >= self.limits.retry_most) {
                pauses = self.pauses();
            }
            let pause = if lasts(&error) { Some(self.limits.refused_pause) } else { pauses.next() };
            let refusal = error.is_credentials().then(|| error.clone());
            if self.ended(error).await.is_err() {
                return;
            }
            refusals.send_modify(|all| all.extend(refusal.clone()));
            tokio::select! {
                () = sleep(pause.unwrap_or(self.limits.retry_most)) => {}
                () = self.out.closed() => return,
            }
            if refusal.is_some() {
                refusals.send_modify(|all| drop(all.pop()));
            }
        }
    }

    /// Pauses that grow, and differ between nodes that lost the same LND.
    fn pauses(&self) -> ExponentialBackoff {
        // Chance lengthens a pause by up to its double.
        ExponentialBuilder::new()
            .with_min_delay(self.limits.retry_least)
            .with_max_delay(self.limits.retry_most / 2)
            .without_max_times()
            .with_jitter()
            .build()
    }

    /// Tells of an end: each, where it stood; once for each error, where it did not.
    async fn ended(&mut self, error: Error) -> Result<(), SendError<Word>> {
        let stood = self.standing.take().is_some();
        if !stood && self.told.as_ref() == Some(&error) {
            return Ok(());
        }
        self.told = Some(error.clone());
        let (stream, at) = (self.stream, (self.clock)());
        self.out.send(Word::Ended { stream, at, stood_until: self.stood_until, error }).await
    }

    /// Subscribes, and passes on what comes until something ends it.
    async fn listen(&mut self) -> Result<Infallible, Over> {
        let (connection, out) = (self.connection, self.out.clone());
        let mut messages = connection.subscribe(method(self.stream));
        let mut alive = Box::pin(alive(connection, self.limits, self.clock, self.limits.settle));
        let mut pace = Pace::new((self.clock)());
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Ok(Some(message)) => {
                        let now = (self.clock)();
                        pace.check(now, self.limits.clock_slack, connection)?;
                        self.heard(&message, now).await?;
                    }
                    Ok(None) => return Err(Over::Broken(messages.ended())),
                    Err(status) => return Err(Over::Broken(messages.explained(&status).await)),
                },
                answered = &mut alive => {
                    let asked_at = answered.map_err(Over::Broken)?;
                    pace.check((self.clock)(), self.limits.clock_slack, connection)?;
                    self.stands(asked_at).await?;
                    alive.set(self::alive(connection, self.limits, self.clock, self.limits.alive_every));
                }
                () = out.closed() => return Err(Over::Unheard),
            }
        }
    }

    /// A message came.
    async fn heard(&mut self, message: &[u8], now: UnixMs) -> Result<(), SendError<Word>> {
        if self.standing.is_none() {
            self.begin(now).await?;
        }
        self.stood_until = now;
        self.decoder.read(message, now, &mut self.seen);
        for seen in self.seen.drain(..) {
            self.out.send(Word::Told { stream: self.stream, seen }).await?;
        }
        Ok(())
    }

    /// LND answered a question of this time while the stream was open.
    async fn stands(&mut self, at: UnixMs) -> Result<(), SendError<Word>> {
        match self.standing {
            // LND says itself when it has subscribed us to HTLCs.
            None if self.stream == Stream::Htlcs => Ok(()),
            None => self.begin(at).await,
            Some(_) => {
                self.stood_until = at.max(self.stood_until);
                self.out.send(Word::Alive { stream: self.stream, at: self.stood_until }).await
            }
        }
    }

    async fn begin(&mut self, at: UnixMs) -> Result<(), SendError<Word>> {
        self.standing = Some(Instant::now());
        self.stood_until = at;
        self.told = None;
        self.out.send(Word::Began { stream: self.stream, at }).await
    }
}

/// Whether only an operator can end it.
const fn lasts(error: &Error) -> bool {
    error.is_credentials() || matches!(error, Error::NotOffered { .. } | Error::Setup(_))
}

/// After a pause, the time at which LND was asked for its state, which it then answered. Any answer is one.
async fn alive(
    connection: &Connection,
    limits: &Limits,
    clock: &dyn Fn() -> UnixMs,
    pause: Duration,
) -> Result<UnixMs, Error> {
    sleep(pause).await;
    let asked_at = clock();
    match timeout(limits.alive_within, connection.state()).await {
        Ok(Ok(_) | Err(Error::Refused { .. } | Error::Answer { .. })) => Ok(asked_at),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::Timeout {
            address: connection.address().to_owned(),
            call: GET_STATE.name().to_owned(),
            seconds: limits.alive_within.as_secs(),
        }),
    }
}

/// Holds the wall clock against the time that passed.
struct Pace {
    wall: UnixMs,
    passed: Instant,
}

impl Pace {
    fn new(wall: UnixMs) -> Self {
        Self { wall, passed: Instant::now() }
    }

    /// Fails where the machine slept or its clock was set: what was told meanwhile is not known.
    fn check(&mut self, now: UnixMs, slack: Duration, connection: &Connection) -> Result<(), Over> {
        let passed = i64::try_from(self.passed.elapsed().as_millis()).unwrap_or(i64::MAX);
        let ahead = now.since(self.wall).saturating_sub(passed);
        *self = Self::new(now);
        if u128::from(ahead.unsigned_abs()) <= slack.as_millis() {
            return Ok(());
        }
        let seconds = ahead / 1000;
        let reason = format!("the clock went {seconds} s ahead of itself: the machine slept, or its time was set");
        Err(Over::Broken(Error::Unreachable { address: connection.address().to_owned(), reason }))
    }
}
