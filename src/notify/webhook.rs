//! A webhook of one's own: the event as JSON, signed, so that its receiver knows who sent it, and when.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::channel::Ready;
use super::failed::Failed;
use super::message::Message;
use super::post::{Post, ascii, exposed};
use crate::units::UnixMs;

pub(super) fn post(ready: &Ready<'_>, message: &Message, now: UnixMs) -> Result<Post, Failed> {
    let body = message.json.to_string();
    let timestamp = now.secs().to_string();
    let signature = sign(exposed(ready.secret.as_ref()), &timestamp, &body)?;
    let key = ascii(&message.key);
    let headers = vec![
        ("X-Daznode-Event", message.json.get("type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned()),
        ("X-Daznode-Id", key.clone()),
        ("X-Daznode-Timestamp", timestamp),
        ("X-Daznode-Signature", format!("v1={signature}")),
        ("Idempotency-Key", key),
    ];
    Ok(Post { url: ready.at(&[])?, put: false, key: None, headers, body })
}

/// HMAC-SHA256 over `TIMESTAMP.BODY`, in hex.
fn sign(secret: &str, timestamp: &str, body: &str) -> Result<String, Failed> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.map_err(|_| Failed::setup("the webhook's secret can't be used"))?;
    mac.update(format!("{timestamp}.{body}").as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_openssl_makes_of_it() {
        // printf '1795240800.{"a":1}' | openssl dgst -sha256 -hmac topsecret
        let expected = "f45091e1ce1f37cd09701ef8f57e10907af38915a6bae2efa5ee6136b3ac4c3a";
        assert_eq!(sign("topsecret", "1795240800", "{\"a\":1}").unwrap(), expected);
    }
}
