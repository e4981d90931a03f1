//! What LND's refusals mean, and what to do about each.
//!
//! Nearly every refusal of LND has the same code, UNKNOWN, and only its text tells them apart. So texts are matched by
//! their characteristic part, and what matches nothing is passed on in LND's own words.

use tonic::{Code, Status};

use crate::sources::Error;
use crate::sources::answers::Method;

/// The longest text of a node that is passed on, in characters.
const LONGEST: usize = 240;

/// A text from elsewhere as one line that does no harm: no control characters, nothing invisible, not too long.
pub fn harmless(text: &str) -> String {
    let mut line = String::new();
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            line.push('…');
            break;
        }
        line.push(if is_harmful(letter) { '\u{fffd}' } else { letter });
    }
    line
}

fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What an answer other than OK means.
pub(super) fn from_status(address: &str, method: &Method, status: &Status) -> Error {
    if let Some(known) = own_failure(status) {
        return known;
    }
    let text = status.message();
    if std::error::Error::source(status).is_some() {
        let reason = format!(
            "the connection broke off while it answered {}{}; is LND stopping, or the line bad?",
            method.name(),
            cause(&innermost(status))
        );
        return Error::Unreachable { address: address.to_owned(), reason };
    }
    if let Some(code) = http_status(text) {
        return not_grpc(address, code);
    }
    if text.contains("decoded message length too large") {
        return too_large(address, method);
    }
    if text.contains("Unexpected EOF decoding stream")
        || text.contains("Missing response message")
        || text.contains("protocol error: received message with")
    {
        return Error::Answer {
            address: address.to_owned(),
            call: method.name().to_owned(),
            reason: format!("{}; is it LND that answers there?", harmless(text)),
        };
    }
    from_text(address, method, status.code(), text)
}

/// One of our own errors that passed through the transport, as from dialling again.
fn own_failure(status: &Status) -> Option<Error> {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if let Some(known) = error.downcast_ref::<Error>() {
            return Some(known.clone());
        }
        source = error.source();
    }
    None
}

/// The cause at the bottom of a chain, which is what tells people most.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// A cause as it goes on after what it caused. That the other end just went away is said already, and what TLS says of that
/// is for programmers.
fn cause(text: &str) -> String {
    if text.contains("close_notify") { String::new() } else { format!(": {}", harmless(text)) }
}

/// The HTTP status of an answer that is not gRPC, as the transport words it.
fn http_status(text: &str) -> Option<&str> {
    ["grpc-status header missing, mapped from HTTP status code ", "while receiving response with status: "]
        .iter()
        .find_map(|words| text.split_once(words))
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .filter(|code| *code != "200")
}

fn not_grpc(address: &str, code: &str) -> Error {
    let reason = match code {
        "502" | "503" | "504" => format!("a proxy in front of LND answers HTTP {code}: LND behind it does not run"),
        _ => format!(
            "it answers HTTP {}, not gRPC: is it LND's REST port (8080)? The gRPC port is 10009 unless `rpclisten` \
             says otherwise",
            harmless(code)
        ),
    };
    Error::Unreachable { address: address.to_owned(), reason }
}

pub(super) fn too_large(address: &str, method: &Method) -> Error {
    Error::TooLarge { address: address.to_owned(), call: method.name().to_owned(), limit: method.max_bytes }
}

/// Texts of LND about the macaroon, and what each means.
const MACAROON: [(&str, &str); 14] = [
    ("expected 1 macaroon, got 0", "LND got none: give its readonly.macaroon"),
    ("expected 1 macaroon", "LND got more than one: is a proxy in between adding its own?"),
    (
        "signature mismatch",
        "it is not from this LND, or LND's macaroons were made anew: give the readonly.macaroon of this very node",
    ),
    ("macaroon has expired", "it has expired: bake a new one, or use readonly.macaroon"),
    ("cannot determine data format", "it is damaged: copy the file again, in binary"),
    ("unmarshal v2", "it is damaged: copy the file again, in binary"),
    ("unmarshal v1", "it is damaged: copy the file again, in binary"),
    ("encoding/hex", "it is damaged: copy the file again, in binary"),
    ("root key with id", "it was revoked (its root key is gone): bake a new one, or use readonly.macaroon"),
    ("locked to different ip", "it is bound to another IP address than this machine's: bake one for this address"),
    ("iprange", "it is bound to other IP addresses than this machine's: bake one for this address"),
    ("ipaddr", "it is bound to another IP address than this machine's: bake one for this address"),
    ("not satisfied", "it has a condition that LND does not find met: use readonly.macaroon"),
    ("cannot get macaroon", "LND can't read it: copy the file again, in binary"),
];

/// Texts of LND that is not ready, and what each means.
const NOT_READY: [(&str, State); 8] = [
    ("wallet not created", State::NotCreated),
    ("wallet locked", State::Locked),
    ("macaroon store is locked", State::Locked),
    ("in the process of starting", State::Starting),
    ("waiting to start", State::WaitingToStart),
    ("server is still in the process", State::Starting),
    ("not yet ready to accept calls", State::Starting),
    ("chain backend is still syncing", State::Starting),
];

/// What LND means by a code and a text.
pub fn from_text(address: &str, method: &Method, code: Code, text: &str) -> Error {
    let lower = text.to_lowercase();
    let call = method.name().to_owned();
    let has = |part: &str| lower.contains(part);
    if let Some((_, state)) = NOT_READY.iter().find(|(part, _)| has(part)) {
        return state.error(address);
    }
    if has("permission denied") || code == Code::PermissionDenied {
        return Error::Macaroon {
            reason: format!("it does not permit {call} at {address}: use readonly.macaroon, or bake one that does"),
        };
    }
    if let Some((_, meaning)) = MACAROON.iter().find(|(part, _)| has(part)) {
        return Error::Macaroon { reason: format!("{meaning} ({address} said: {})", harmless(text)) };
    }
    if code == Code::Unauthenticated || has("macaroon") {
        return Error::Macaroon { reason: format!("{address} refuses it: {}", harmless(text)) };
    }
    if has("larger than max") {
        return too_large(address, method);
    }
    let address = address.to_owned();
    match code {
        Code::Unimplemented => {
            let reason = "this LND is older than the call, or was built without it".to_owned();
            Error::NotOffered { address, call, reason }
        }
        _ if has("not active") || has("not enabled") => Error::NotOffered { address, call, reason: harmless(text) },
        Code::DeadlineExceeded => Error::Timeout { address, call, seconds: method.timeout.as_secs() },
        _ if text.is_empty() => Error::Refused { address, call, reason: format!("no reason given ({code:?})") },
        _ => Error::Refused { address, call, reason: harmless(text) },
    }
}

/// How far LND has come in starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No wallet was made yet.
    NotCreated,
    /// The wallet is locked.
    Locked,
    /// Unlocked, but the calls are not served yet.
    Starting,
    /// All calls are served.
    Ready,
    /// It waits for its turn in a cluster.
    WaitingToStart,
}

impl State {
    /// From the number that `GetState` answers. One that is not known does not keep anybody from asking on.
    pub const fn from_number(number: i32) -> Self {
        match number {
            0 => Self::NotCreated,
            1 => Self::Locked,
            2 => Self::Starting,
            255 => Self::WaitingToStart,
            _ => Self::Ready,
        }
    }

    /// What keeps LND from answering, where anything does.
    pub fn refusal(self, address: &str) -> Option<Error> {
        (self != Self::Ready).then(|| self.error(address))
    }

    fn error(self, address: &str) -> Error {
        let reason = match self {
            Self::NotCreated => "LND has no wallet yet: create one with `lncli create`",
            Self::Locked => {
                "LND's wallet is locked: unlock it with `lncli unlock`, or let LND do it itself with \
                 `wallet-unlock-password-file`"
            }
            Self::Starting | Self::Ready => "LND is starting up: try again in some minutes",
            Self::WaitingToStart => "LND waits for its turn in a cluster: ask the leader instead",
        };
        Error::NotReady { address: address.to_owned(), reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests;
