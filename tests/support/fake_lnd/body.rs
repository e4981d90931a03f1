//! What an answer is made of on the wire, one step after the other.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use hyper::body::{Body, Frame};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, Response};

use super::{Counts, Reply, Told};

pub(super) fn respond(reply: Reply, counts: &Arc<Counts>) -> Response<Steps> {
    let body = |steps: Vec<Step>| Steps { steps: steps.into(), pause: None, counts: Arc::clone(counts) };
    let steps = match reply {
        Reply::Message(message) => vec![Step::Data(frame(&message)), Step::Data(message), ok()],
        Reply::Refuse(code, text) => vec![Step::Trailers(trailers(code, &text))],
        Reply::HalfThenReset(message) => vec![half(&message), Step::Reset],
        Reply::HalfThenHang(message) => vec![half(&message), Step::Hang],
        Reply::Garbage(bytes) => vec![Step::Data(bytes), ok()],
        Reply::Oversize(length) => {
            let mut head = BytesMut::new();
            head.put_u8(0);
            head.put_u32(length);
            head.put_slice(&[0; 4096]);
            vec![Step::Data(head.freeze()), Step::Hang]
        }
        Reply::Http(status) => {
            let response = Response::builder().status(status).header("content-type", "text/html");
            return response.body(body(vec![Step::Data(Bytes::from_static(b"<html>"))])).unwrap();
        }
        Reply::Stream(parts) => parts.into_iter().map(step).chain([ok()]).collect(),
        Reply::Hang | Reply::After(..) => vec![Step::Hang],
    };
    Response::builder().header("content-type", "application/grpc").body(body(steps)).unwrap()
}

/// The head of a message: not compressed, and so long.
fn frame(message: &Bytes) -> Bytes {
    let mut head = BytesMut::with_capacity(5);
    head.put_u8(0);
    head.put_u32(u32::try_from(message.len()).unwrap());
    head.freeze()
}

fn step(part: Told) -> Step {
    match part {
        Told::Message(message) => {
            let mut bytes = BytesMut::from(&frame(&message)[..]);
            bytes.put_slice(&message);
            Step::Told(bytes.freeze())
        }
        Told::Pause(pause) => Step::Pause(pause),
        Told::Hang => Step::Hang,
        Told::Reset => Step::Reset,
    }
}

fn half(message: &Bytes) -> Step {
    let mut bytes = BytesMut::from(&frame(message)[..]);
    bytes.put_slice(&message[..message.len() / 2]);
    Step::Data(bytes.freeze())
}

fn ok() -> Step {
    Step::Trailers(trailers(0, ""))
}

fn trailers(code: u32, text: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    if !text.is_empty() {
        // As the protocol has it: everything but printable ASCII, and the percent sign, in percent-encoding.
        let mut encoded = String::new();
        for byte in text.bytes() {
            match byte {
                b' '..=b'~' if byte != b'%' => encoded.push(byte as char),
                _ => encoded.push_str(&format!("%{byte:02X}")),
            }
        }
        trailers.insert("grpc-message", HeaderValue::from_str(&encoded).unwrap());
    }
    trailers
}

enum Step {
    Data(Bytes),
    /// A whole message of a stream.
    Told(Bytes),
    Trailers(HeaderMap),
    Pause(Duration),
    Hang,
    Reset,
}

/// A body that does one thing after the other.
pub(super) struct Steps {
    steps: VecDeque<Step>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
    counts: Arc<Counts>,
}

impl Body for Steps {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            return match self.steps.pop_front() {
                Some(Step::Data(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::Told(bytes)) => {
                    self.counts.told.fetch_add(1, Ordering::SeqCst);
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Some(Step::Reset) => Poll::Ready(Some(Err(std::io::Error::other("told to break off")))),
                Some(Step::Pause(pause)) => {
                    self.pause = Some(Box::pin(tokio::time::sleep(pause)));
                    continue;
                }
                // Nobody wakes it again, and who asks again waits again.
                Some(Step::Hang) => {
                    self.steps.push_front(Step::Hang);
                    Poll::Pending
                }
                None => Poll::Ready(None),
            };
        }
    }
}
