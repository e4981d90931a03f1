//! Every public source of the suite: how it is turned on, what it answers when all is well, and how it lies.

use daznode::sources::public::Settings;

use crate::server::{Request, Say, ok, status};
use crate::sources::{KEY, amboss, mempool};

/// A source of the table.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// Turns it on at an address.
    pub on: fn(&mut Settings, String),
    /// What it answers when all is well.
    pub good: fn(&Request) -> Say,
    /// Its answers with another node's key, with numbers that can't be, and with times that are still to come.
    pub lies: [fn(&Request) -> Say; 3],
}

/// Every public source.
pub const KINDS: [Kind; 4] = [
    Kind {
        name: "mempool.space",
        on: |settings, url| {
            settings.mempool.enabled = true;
            settings.mempool.url = url;
        },
        good: mempool,
        lies: [
            |request| rewritten(mempool(request), &[(KEY, OTHER)]),
            |request| match request.path.as_str() {
                "/api/blocks/tip/height" => ok("-7"),
                path if path.contains("fees") => {
                    ok("{\"fastestFee\":-1,\"halfHourFee\":1e300,\"hourFee\":1,\"economyFee\":1,\"minimumFee\":1}")
                }
                path if path.ends_with("prices") => ok("{\"time\":-5,\"USD\":1e300}"),
                path if path.ends_with("latest") => ok(
                    "{\"latest\":{\"node_count\":-1,\"channel_count\":1e30,\"total_capacity\":\"99999999999999999999\"}}",
                ),
                _ => ok(&format!(
                    "{{\"public_key\":\"{KEY}\",\"capacity\":\"-4\",\"active_channel_count\":5e12,\"updated_at\":-1}}"
                )),
            },
            |request| rewritten(mempool(request), &[("1795240800", "4102444800"), ("2026-11-21T00", "2100-01-01T00")]),
        ],
    },
    Kind {
        name: "amboss",
        on: |settings, url| {
            settings.amboss.enabled = true;
            settings.amboss.url = format!("{url}/graphql");
        },
        good: amboss,
        lies: [
            |request| rewritten(amboss(request), &[(KEY, OTHER)]),
            |_| {
                ok(&format!(
                    "{{\"data\":{{\"__typename\":7,\"getNode\":{{\"graph_info\":{{\"node\":{{\"pub_key\":\"{KEY}\"}},\
                     \"channels\":{{\"num_channels\":-3,\"total_capacity\":\"9e40\",\"fee_info\":{{\"local\":{{\"median\":\"-9\"}},\
                     \"remote\":{{\"median\":\"1e99\",\"weighted\":[]}}}}}},\"metrics\":{{\"capacity_rank\":-1}}}}}}}}}}"
                ))
            },
            |request| amboss(request),
        ],
    },
    Kind {
        name: "remote",
        on: |settings, url| {
            settings.remote.enabled = true;
            settings.remote.url = Some(url);
        },
        good: remote,
        lies: [
            |request| rewritten(remote(request), &[(KEY, OTHER)]),
            |request| rewritten(remote(request), &[("\"24300000\"", "\"9300000000000000\""), ("\"ok\"", "\"fine\"")]),
            |request| {
                rewritten(remote(request), &[("2026-11-21T05:30:00Z", "2100-01-01T00:00:00Z"), ("\"ok\"", "\"\"")])
            },
        ],
    },
    Kind {
        name: "lnrouter",
        on: |settings, url| {
            settings.lnrouter.enabled = true;
            settings.lnrouter.url = Some(format!("{url}/v1/network"));
            "X-API-KEY".clone_into(&mut settings.lnrouter.header);
        },
        good: remote,
        lies: [
            |request| rewritten(remote(request), &[(KEY, OTHER)]),
            |request| rewritten(remote(request), &[("\"24300000\"", "-1")]),
            |request| rewritten(remote(request), &[("2026-11-21T05:30:00Z", "2100-01-01T00:00:00Z")]),
        ],
    },
];

const OTHER: &str = "03b1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0";

/// Another daznode as it should be; LNRouter is expected in the same shape.
pub fn remote(request: &Request) -> Say {
    match request.path.as_str() {
        "/v1/health" => ok("{\"status\":\"ok\",\"version\":\"0.2.0\",\"newest_report_at\":\"2026-11-21T05:30:00Z\"}"),
        "/v1/network" => status(404, "", "no such page"),
        path if path == format!("/v1/network/{KEY}") => ok(include_str!("../fixtures/public/network.json")),
        _ => status(404, "", "no such page"),
    }
}

/// The same answer with other words in it.
fn rewritten(say: Say, words: &[(&str, &str)]) -> Say {
    let Say::Bytes(bytes) = say else { return say };
    let text = String::from_utf8(bytes).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    ok(&words.iter().fold(body.to_owned(), |body, (from, to)| body.replace(from, to)))
}
