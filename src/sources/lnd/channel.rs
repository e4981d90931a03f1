//! The connection to one LND: dialled by ourselves, over TLS to the pinned certificate, then gRPC with plain bytes.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes};
use prost::Message as _;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::{PathAndQuery, Uri};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
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

impl Connection {
    /// Dials, and checks the certificate. Nothing is asked yet.
    pub async fn open(options: &Options) -> Result<Self, Error> {
        let dial = Arc::new(Dial::new(options)?);
        let address = options.address.to_string();
        let mut macaroon: MetadataValue<Ascii> =
            options.macaroon.hex().parse().map_err(|_| Error::Setup("the macaroon is not text".to_owned()))?;
        macaroon.set_sensitive(true);
        let shown_until = dial.shown_until();
        let connector = tower::service_fn(move |_: Uri| {
            let dial = Arc::clone(&dial);
            async move { dial.connect().await }
        });
        let channel = Endpoint::from_static("http://lnd")
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect_with_connector(connector)
            .await
            .map_err(|error| {
                let status = Status::from_error(Box::new(error));
                errors::from_status(&address, &GET_STATE, &status)
            })?;
        Ok(Self { address, channel, macaroon, shown_until })
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

    async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let mut request = Request::new(request);
        if method != &GET_STATE {
            request.metadata_mut().insert("macaroon", self.macaroon.clone());
        }
        let start = Instant::now();
        let timeout =
            |call: String| Error::Timeout { address: self.address.clone(), call, seconds: method.timeout.as_secs() };
        let failed = |status: Status| errors::from_status(&self.address, method, &status);
        let begin = async {
            let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(method.max_bytes);
            grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
            grpc.server_streaming(request, PathAndQuery::from_static(method.path), Plain).await
        };
        let mut answer = tokio::time::timeout(method.timeout, begin)
            .await
            .map_err(|_| timeout(method.name().to_owned()))?
            .map_err(failed)?
            .into_inner();
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

impl Answers for Connection {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let refused = match self.call(method, request).await {
            Err(error @ (Error::Refused { .. } | Error::NotOffered { .. })) if method != &GET_STATE => error,
            other => return other,
        };
        // Words that are not known may come from an LND that is not ready and says so in another way.
        match self.state().await {
            Ok(state) => Err(state.refusal(&self.address).unwrap_or(refused)),
            Err(_) => Err(refused),
        }
    }

    fn address(&self) -> &str {
        &self.address
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
