//! From words to what is stored: one batch at a time, and no more in memory than one.
//!
//! A stream's coverage ends where it was last known to stand. A jump of the clock, or sleep of the machine, ends it too: the
//! time that nobody was awake in was not watched, and no peer is charged with it.

use std::collections::HashMap;

use crate::history::Window;
use crate::snapshot::{PeerSession, WatchSpan};
use crate::sources::streams::{Seen, Stream, Word};
use crate::store::{Heard, UnknownEvents, Watcher};
use crate::units::{Msat, Pubkey, UnixMs};

/// Words in one batch.
pub const BATCH: usize = 1000;
/// News waits no longer than this, in milliseconds.
const NEWS_MS: i64 = 5_000;
/// That a stream still stands is written less often.
const ALIVE_MS: i64 = 60_000;
/// A clock that moves by no more than this beside the one that can't be set is only being corrected.
const SLACK_MS: i64 = 5_000;
/// Letters of LND's words that are kept.
const WORDS_MAX: usize = 200;
/// Bytes of an unknown event that are kept.
const EXAMPLE_MAX: usize = 1024;
/// Peers that came and went since the last look at all of them, of which it is remembered when.
const REMEMBERED: usize = 20_000;

/// The state of a watcher that was stopped.
pub const STOPPED: &str = "stopped";

/// A moment by two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// By the clock on the wall, which can be set.
    pub wall: UnixMs,
    /// By the one that only goes on, and stands while the machine sleeps; milliseconds from anywhere.
    pub awake: i64,
}

/// A stream that stands.
#[derive(Clone, Copy, Debug)]
struct Standing {
    from: UnixMs,
    to: UnixMs,
}

/// Takes words and makes batches of them.
#[derive(Debug)]
pub struct Sink {
    heard: Heard,
    words: usize,
    streams: [Option<Standing>; 4],
    /// Where each stream's coverage ended last: the next one does not touch it, so that a break stays a break.
    ended: [UnixMs; 4],
    /// Connections that last, each with its beginning.
    open: HashMap<Pubkey, UnixMs>,
    /// When something was last heard of a peer since all were looked at.
    heard_of: HashMap<Pubkey, UnixMs>,
    /// Whether all connected peers were looked at since their stream began.
    listed: bool,
    started: UnixMs,
    /// Since when the clock was not set.
    steady: UnixMs,
    now: Moment,
    flushed: i64,
    errors: [Option<String>; 4],
    /// Why the node could not be looked at, where the last look failed.
    fault: Option<String>,
    /// Whether nothing more will come.
    stopped: bool,
}

impl Sink {
    /// One that begins now.
    pub fn new(now: Moment) -> Self {
        Self {
            heard: Heard::default(),
            words: 0,
            streams: [None; 4],
            ended: [UnixMs(i64::MIN); 4],
            open: HashMap::new(),
            heard_of: HashMap::new(),
            listed: false,
            started: now.wall,
            steady: now.wall,
            now,
            flushed: now.awake,
            errors: [const { None }; 4],
            fault: None,
            stopped: false,
        }
    }

    /// Told of the time before each word and as it goes by.
    pub fn notice(&mut self, now: Moment) {
        let drift = now.wall.since(self.now.wall) - (now.awake - self.now.awake);
        let last = std::mem::replace(&mut self.now, now);
        if drift > SLACK_MS {
            // In the time between nobody was awake.
            self.go_on(now.wall);
        } else if drift < -SLACK_MS {
            self.set_back(last.wall, now.wall);
        }
    }

    /// Takes one word.
    pub fn take(&mut self, word: Word) {
        self.words += 1;
        match word {
            Word::Began { stream, at } => self.began(stream, at),
            Word::Alive { stream, at } => self.stood(stream, at),
            Word::Ended { stream, stood_until, error, .. } => {
                self.stood(stream, stood_until);
                self.end(stream);
                self.error(stream, Some(clip(&error.to_string(), WORDS_MAX)));
            }
            Word::Told { stream, seen } => self.told(stream, seen),
        }
    }

    /// Whether a batch should be stored before more is taken.
    pub const fn is_full(&self) -> bool {
        self.words >= BATCH
    }

    /// Whether it is time to store what there is.
    pub fn is_due(&self) -> bool {
        let since = self.now.awake - self.flushed;
        self.is_full() || since >= ALIVE_MS || (since >= NEWS_MS && self.has_news())
    }

    /// Whether all connected peers should be looked at, since nothing tells yet who was there when their stream began.
    pub const fn wants_peers(&self) -> bool {
        let [_, _, peers, _] = &self.streams;
        peers.is_some() && !self.listed
    }

    /// Whether any stream stands.
    pub fn stands(&self) -> bool {
        self.streams.iter().any(Option::is_some)
    }

    /// What there is to store; the sink goes on empty.
    pub fn flush(&mut self) -> Heard {
        self.flushed = self.now.awake;
        self.words = 0;
        let mut heard = std::mem::take(&mut self.heard);
        for stream in Stream::ALL {
            if let Some(Standing { from, to }) = self.standing(stream).copied() {
                heard.coverage.push(WatchSpan { stream: stream.name().to_owned(), from, to });
            }
        }
        let state = self.state();
        heard.watcher = Some(Watcher { started: self.started, well: self.now.wall, state });
        heard
    }

    /// Ends everything, for the last batch: the watcher is stopped.
    pub fn stop(&mut self) {
        for stream in Stream::ALL {
            self.end(stream);
        }
        self.stopped = true;
    }

    /// All peers that were connected when they were asked for.
    pub fn peers(&mut self, asked: UnixMs, connected: impl Iterator<Item = Pubkey>) {
        let Some(since) = self.standing(Stream::Peers).map(|standing| standing.from) else { return };
        if asked < since {
            return;
        }
        let first = if self.listed { asked } else { since };
        let mut gone: HashMap<Pubkey, UnixMs> = self.open.clone();
        for peer in connected {
            gone.remove(&peer);
            // What was told of it since is newer than this look.
            let newer = self.heard_of.get(&peer).is_some_and(|at| *at >= asked);
            if !newer && !self.open.contains_key(&peer) {
                let from = if self.heard_of.contains_key(&peer) { asked } else { first };
                self.connected(peer, from);
            }
        }
        for (peer, from) in gone {
            if from < asked && self.heard_of.get(&peer).is_none_or(|at| *at < asked) {
                self.disconnected(peer, asked);
            }
        }
        self.listed = true;
        self.heard_of.retain(|_, at| *at >= asked);
    }

    /// How the last look at the node went: `None`, or why it failed.
    pub fn looked(&mut self, fault: Option<&str>) {
        self.fault = fault.map(|fault| clip(fault, WORDS_MAX));
    }

    /// How it is, in a few words.
    pub fn state(&self) -> String {
        if self.stopped {
            return STOPPED.to_owned();
        }
        let down: Vec<&str> =
            Stream::ALL.into_iter().filter(|stream| self.standing(*stream).is_none()).map(Stream::name).collect();
        if down.is_empty() {
            return "following".to_owned();
        }
        match self.errors.iter().flatten().next().or(self.fault.as_ref()) {
            // Nothing failed yet: it has only begun.
            None => "connecting".to_owned(),
            Some(error) if down.len() == Stream::ALL.len() => format!("not connected: {error}"),
            Some(error) => format!("without {}: {error}", down.join(", ")),
        }
    }

    fn standing(&self, stream: Stream) -> Option<&Standing> {
        self.streams.get(place(stream)).and_then(Option::as_ref)
    }

    fn stand(&mut self, stream: Stream, standing: Option<Standing>) {
        if let Some(slot) = self.streams.get_mut(place(stream)) {
            *slot = standing;
        }
    }

    fn error(&mut self, stream: Stream, error: Option<String>) {
        if let Some(slot) = self.errors.get_mut(place(stream)) {
            *slot = error;
        }
    }

    fn began(&mut self, stream: Stream, at: UnixMs) {
        self.end(stream);
        self.error(stream, None);
        let after = self.ended.get(place(stream)).map_or(at, |ended| ended.plus(1));
        let from = at.max(after);
        self.stand(stream, Some(Standing { from, to: from }));
        if stream == Stream::Peers {
            self.heard.anew = true;
            self.listed = false;
            self.heard_of.clear();
        }
    }

    /// A stream is known to have stood until then; nothing is known of the time to come.
    fn stood(&mut self, stream: Stream, at: UnixMs) {
        let at = at.min(self.now.wall.plus(SLACK_MS));
        if let Some(Some(standing)) = self.streams.get_mut(place(stream)) {
            standing.to = standing.to.max(at);
        }
    }

    /// Ends a stream where it last stood; the connections of peers are cut there.
    fn end(&mut self, stream: Stream) {
        let Some(Standing { from, to }) = self.standing(stream).copied() else { return };
        self.stand(stream, None);
        if let Some(ended) = self.ended.get_mut(place(stream)) {
            *ended = to;
        }
        self.heard.coverage.push(WatchSpan { stream: stream.name().to_owned(), from, to });
        if stream == Stream::Peers {
            self.cut(to);
        }
    }

    /// Every connection ends here, by no fault of the peer.
    fn cut(&mut self, at: UnixMs) -> Vec<Pubkey> {
        let open: Vec<(Pubkey, UnixMs)> = self.open.drain().collect();
        let mut cut = Vec::with_capacity(open.len());
        for (peer, from) in open {
            self.heard.sessions.push(PeerSession { peer: peer.clone(), from, to: Some(at.max(from)) });
            cut.push(peer);
        }
        cut
    }

    fn connected(&mut self, peer: Pubkey, from: UnixMs) {
        self.heard.sessions.push(PeerSession { peer: peer.clone(), from, to: None });
        self.open.insert(peer, from);
    }

    fn disconnected(&mut self, peer: Pubkey, at: UnixMs) {
        if let Some(from) = self.open.remove(&peer) {
            self.heard.sessions.push(PeerSession { peer, from, to: Some(at.max(from)) });
        }
    }

    /// Every stream that stands ends where it last stood, and stands again from `now` on.
    fn go_on(&mut self, now: UnixMs) {
        for stream in Stream::ALL {
            let Some(Standing { to, .. }) = self.standing(stream).copied() else { continue };
            let peers = if stream == Stream::Peers { self.cut(to) } else { Vec::new() };
            self.end(stream);
            self.stand(stream, Some(Standing { from: now, to: now }));
            for peer in peers {
                self.connected(peer, now);
            }
        }
        self.steady = now;
    }

    /// The clock was set back: what was said of the time after `now` was of another time.
    fn set_back(&mut self, last: UnixMs, now: UnixMs) {
        let start = now.max(self.steady);
        let end = self.streams.iter().flatten().map(|standing| standing.to).fold(last, UnixMs::max);
        // What goes on does not touch what is kept: the break is none of a peer's.
        self.go_on(now.plus(1));
        let heard = &mut self.heard;
        for span in &mut heard.coverage {
            span.to = span.to.min(start);
        }
        heard.coverage.retain(|span| span.from < span.to);
        heard.sessions.retain(|session| session.to.is_none_or(|_| session.from < start));
        for session in &mut heard.sessions {
            session.to = session.to.map(|to| to.min(start));
        }
        // Two in one batch: the wider one has both.
        let before = heard.taken_back.unwrap_or(Window { start, end });
        heard.taken_back = Some(Window { start: start.min(before.start), end: end.max(before.end) });
        self.ended = [now.plus(-1); 4];
    }

    fn told(&mut self, stream: Stream, seen: Seen) {
        match seen {
            Seen::Failed { forward, detail } => {
                let good = |amount: Msat| amount >= Msat::ZERO && amount <= Msat::SUPPLY;
                if good(forward.amount_in) && good(forward.amount_out) {
                    self.heard.failures.push((forward, clip(&detail, WORDS_MAX)));
                } else {
                    let at = UnixMs(forward.at_ns.div_euclid(1_000_000));
                    self.unknown(stream, at, "failed with impossible amounts", detail.into_bytes());
                }
            }
            // Its money is in the forwarding history.
            Seen::Settled { .. } => {}
            Seen::Channel { at, point, change } => self.heard.channels.push((at, point, change)),
            Seen::Policy { at, point, by, policy } => self.heard.policies.push((at, point, by, policy)),
            Seen::Peer { at, peer, online } => self.peer(at, peer, online),
            Seen::Unknown { at, kind, bytes } => self.unknown(stream, at, &kind, bytes),
        }
    }

    fn peer(&mut self, at: UnixMs, peer: Pubkey, online: bool) {
        let Some(since) = self.standing(Stream::Peers).map(|standing| standing.from) else { return };
        let at = at.max(since);
        if online {
            if !self.open.contains_key(&peer) {
                self.connected(peer.clone(), at);
            }
        } else if self.open.contains_key(&peer) {
            self.disconnected(peer.clone(), at);
        } else if !self.listed && !self.heard_of.contains_key(&peer) {
            // Nothing was told of it yet: it was there when its stream began.
            self.heard.sessions.push(PeerSession { peer: peer.clone(), from: since, to: Some(at) });
        }
        if self.heard_of.len() < REMEMBERED {
            self.heard_of.insert(peer, at);
        }
    }

    fn unknown(&mut self, stream: Stream, at: UnixMs, kind: &str, mut example: Vec<u8>) {
        let kind = clip(kind, WORDS_MAX);
        let known = self.heard.unknown.iter_mut().find(|events| events.stream == stream && events.kind == kind);
        if let Some(events) = known {
            events.seen = events.seen.saturating_add(1);
            (events.first, events.last) = (events.first.min(at), events.last.max(at));
        } else {
            example.truncate(EXAMPLE_MAX);
            self.heard.unknown.push(UnknownEvents { stream, kind, seen: 1, first: at, last: at, example });
        }
    }

    fn has_news(&self) -> bool {
        let heard = &self.heard;
        heard.anew
            || heard.taken_back.is_some()
            || !(heard.coverage.is_empty()
                && heard.failures.is_empty()
                && heard.sessions.is_empty()
                && heard.channels.is_empty()
                && heard.policies.is_empty()
                && heard.unknown.is_empty())
    }
}

const fn place(stream: Stream) -> usize {
    match stream {
        Stream::Htlcs => 0,
        Stream::Channels => 1,
        Stream::Peers => 2,
        Stream::Graph => 3,
    }
}

/// The first letters of a text.
fn clip(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests;
