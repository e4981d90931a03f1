//! The connection to one LND: dialled by ourselves, over TLS to the pinned certificate, then gRPC with plain bytes.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes};
use prost::Message as _;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::{PathAndQuery, Uri};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_lnd::lnrpc::{GetStateRequest, GetStateResponse};

use super::address::Address;
use super::certificate::Pinned;
use super::dial::Dial;
use super::errors::{self, State};
use super::macaroon::Macaroon;
use crate::sources::Error;
use crate::sources::answers::{Answers, GET_STATE, Method};
use crate::units::UnixMs;

/// What the node's certificate is held against.
#[derive(Clone, Debug)]
pub enum Trust {
    /// It must be this very one.
    Pinned(Pinned),
    /// An authority that the system trusts must have signed it for the host.
    Authority,
}

/// All that is needed to reach an LND.
#[derive(Debug)]
pub struct Options {
    /// Where it listens.
    pub address: Address,
    /// What its certificate is held against.
    pub trust: Trust,
    /// What it is shown. Never sent before the certificate was accepted.
    pub macaroon: Macaroon,
    /// `socks5h://host:port`, for addresses that are not local.
    pub proxy: Option<String>,
    /// Dial nothing outside the machine and the local network.
    pub offline: bool,
    /// The time, which certificates are held against.
    pub now: UnixMs,
}

/// One connection to an LND, over which many calls go at once. It dials again when it was lost.
#[derive(Clone)]
pub struct Connection {
    address: String,
    channel: Channel,
    macaroon: MetadataValue<Ascii>,
    shown_until: Arc<OnceLock<UnixMs>>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Room for what is on its way: a graph of 20 MiB must not wait for a round trip every 64 KiB.
const STREAM_WINDOW: u32 = 8 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The same for streams that are followed: little waits to be read, and one that is not read leaves room for the others.
const FOLLOWED_STREAM_WINDOW: u32 = 256 << 10;
/// Far more than the streams can fill: a connection is ended for too many small frames once those that wait, each counted as
/// what it lacks of 256 bytes, come to half of this. Four full streams of messages of 38 bytes come to 6 MiB.
const FOLLOWED_CONNECTION_WINDOW: u32 = 16 << 20;

/// How a connection over which nothing may come for hours is known to stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive {
    /// How often LND is pinged.
    pub(super) every: Duration,
    /// How long it may take to answer.
    pub(super) within: Duration,
}

impl Connection {
    /// Dials, and checks the certificate. Nothing is asked yet.
    pub async fn open(options: &Options) -> Result<Self, Error> {
        let dial = Arc::new(Dial::new(options)?);
        let address = options.address.to_string();
        let macaroon = shown(&options.macaroon)?;
        let shown_until = dial.shown_until();
        let channel = Endpoint::from_static("http://lnd")
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect_with_connector(tower::service_fn(move |_: Uri| Arc::clone(&dial).connect_again()))
            .await
            .map_err(|error| {
                let status = Status::from_error(Box::new(error));
                errors::from_status(&address, &GET_STATE, &status)
            })?;
        Ok(Self { address, channel, macaroon, shown_until })
    }

    /// A connection for streams. It dials at the first call, so that a node which is down is no error yet. Has to be called
    /// within a runtime.
    pub(super) fn to_follow(options: &Options, alive: KeepAlive) -> Result<Self, Error> {
        let dial = Arc::new(Dial::new(options)?);
        let shown_until = dial.shown_until();
        let channel = Endpoint::from_static("http://lnd")
            .initial_stream_window_size(FOLLOWED_STREAM_WINDOW)
            .initial_connection_window_size(FOLLOWED_CONNECTION_WINDOW)
            .http2_keep_alive_interval(alive.every)
            .keep_alive_timeout(alive.within)
            // LND hangs up on who pings it without a stream.
            .keep_alive_while_idle(false)
            .connect_with_connector_lazy(tower::service_fn(move |_: Uri| Arc::clone(&dial).connect_again()));
        Ok(Self { address: options.address.to_string(), channel, macaroon: shown(&options.macaroon)?, shown_until })
    }

    /// The last moment of the certificate that the node showed.
    pub fn certificate_not_after(&self) -> Option<UnixMs> {
        self.shown_until.get().copied()
    }

    /// How far LND has come in starting. Versions that can't say so are taken as ready.
    pub async fn state(&self) -> Result<State, Error> {
        match self.call(&GET_STATE, GetStateRequest {}.encode_to_vec().into()).await {
            Ok(answer) => {
                GetStateResponse::decode(answer).map(|answer| State::from_number(answer.state)).map_err(|error| {
                    Error::Answer {
                        address: self.address.clone(),
                        call: GET_STATE.name().to_owned(),
                        reason: errors::harmless(&error.to_string()),
                    }
                })
            }
            Err(Error::NotOffered { .. }) => Ok(State::Ready),
            Err(other) => Err(other),
        }
    }

    /// Asks, and waits for the beginning of an answer.
    async fn begin(&self, method: &'static Method, request: Bytes) -> Result<Streaming<Bytes>, Status> {
        let mut request = Request::new(request);
        if method != &GET_STATE {
            request.metadata_mut().insert("macaroon", self.macaroon.clone());
        }
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(method.max_bytes);
        grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        let answer = grpc.server_streaming(request, PathAndQuery::from_static(method.path), Plain).await?;
        Ok(answer.into_inner())
    }

    /// The messages of a stream. LND sends nothing at all, not even that it took the call, before it has a first message.
    pub(super) fn subscribe(&self, method: &'static Method) -> Messages<'_> {
        Messages { method, connection: self, at: Place::Asked(Box::pin(self.begin(method, Bytes::new()))) }
    }

    async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let start = Instant::now();
        let timeout =
            |call: String| Error::Timeout { address: self.address.clone(), call, seconds: method.timeout.as_secs() };
        let failed = |status: Status| errors::from_status(&self.address, method, &status);
        let mut answer = tokio::time::timeout(method.timeout, self.begin(method, request))
            .await
            .map_err(|_| timeout(method.name().to_owned()))?
            .map_err(failed)?;
        let rest = async {
            let message = answer.message().await?;
            answer.trailers().await?;
            message.ok_or_else(|| Status::internal("Missing response message."))
        };
        let left = method.timeout.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        tokio::time::timeout(left, rest)
            .await
            .map_err(|_| timeout(format!("{} to its end", method.name())))?
            .map_err(failed)
    }
}

impl Connection {
    /// Words that are not known may come from an LND that is not ready and says so in another way.
    async fn explained(&self, error: Error) -> Error {
        if !matches!(error, Error::Refused { .. } | Error::NotOffered { .. }) {
            return error;
        }
        self.state().await.ok().and_then(|state| state.refusal(&self.address)).unwrap_or(error)
    }
}

/// What a macaroon looks like in a call.
fn shown(macaroon: &Macaroon) -> Result<MetadataValue<Ascii>, Error> {
    let mut shown: MetadataValue<Ascii> =
        macaroon.hex().parse().map_err(|_| Error::Setup("the macaroon is not text".to_owned()))?;
    shown.set_sensitive(true);
    Ok(shown)
}

impl Answers for Connection {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        match self.call(method, request).await {
            Err(error) if method != &GET_STATE => Err(self.explained(error).await),
            other => other,
        }
    }

    fn address(&self) -> &str {
        &self.address
    }
}

/// The messages of a stream, one at a time.
pub(super) struct Messages<'a> {
    method: &'static Method,
    connection: &'a Connection,
    at: Place<'a>,
}

/// How far a stream has come.
enum Place<'a> {
    Asked(Pin<Box<dyn Future<Output = Result<Streaming<Bytes>, Status>> + Send + 'a>>),
    Told(Box<Streaming<Bytes>>),
}

impl Messages<'_> {
    /// The next message, or nothing where LND ended the stream. Can be dropped at any time without losing one.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            match &mut self.at {
                Place::Asked(begun) => self.at = Place::Told(Box::new(begun.await?)),
                Place::Told(messages) => return messages.message().await,
            }
        }
    }

    /// What an end without a message means.
    pub(super) fn ended(&self) -> Error {
        let reason = format!("it ended {}: is LND stopping?", self.method.name());
        Error::Unreachable { address: self.connection.address.clone(), reason }
    }

    /// What an end with an error means.
    pub(super) async fn explained(&self, status: &Status) -> Error {
        self.connection.explained(errors::from_status(&self.connection.address, self.method, status)).await
    }
}

/// A codec that leaves the bytes of a message as they are.
#[derive(Clone, Copy, Debug)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
