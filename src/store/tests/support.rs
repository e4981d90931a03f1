//! What the tests of the store are made of: a folder, a profile, events, a snapshot, a report.

use crate::report::{
    Alert, Btc, Category, Changes, Evidence, GenerationStatus, Metrics, Money, Priority, Recommendation, Report,
    Safety, Severity, Status, Summary, Time, Trends,
};
use crate::snapshot::{
    Channel, Forward, Info, NodeView, Payment, PaymentPart, PaymentStatus, Peer, PublicView, Snapshot, Wallet,
};
use crate::sources::spec::SourceSpec;
use crate::store::{Access, NewProfile, Profile, Store, new_id};
use crate::units::{Day, Msat, Network, Outpoint, Pubkey, Sat, Scid, UnixMs};

/// 2026-11-21 06:00 UTC.
pub(crate) const NOW: UnixMs = UnixMs(1_795_240_800_000);

/// A store in a folder that goes with it.
pub(super) struct Fixture {
    pub folder: tempfile::TempDir,
    pub store: Store,
    pub profile: Profile,
}

pub(super) fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Access::Write).unwrap();
    let profile = store.enable(&new_profile("alice", 1), NOW).unwrap();
    Fixture { folder, store, profile }
}

pub(crate) fn pubkey(n: u64) -> Pubkey {
    format!("02{n:064x}").parse().unwrap()
}

pub(crate) fn outpoint(n: u64) -> Outpoint {
    format!("{n:064x}:0").parse().unwrap()
}

pub(super) fn new_profile(user: &str, node: u64) -> NewProfile {
    NewProfile {
        tenant: "default".to_owned(),
        user: user.to_owned(),
        pubkey: pubkey(node),
        network: Network::Regtest,
        alias: format!("node {node}"),
        source: SourceSpec::Recording { folder: format!("recordings/{node}").into() },
        schedule: "0 6 * * *".to_owned(),
        notify: serde_json::json!({}),
    }
}

pub(super) fn forward(at_ns: i64, scid_in: u64, scid_out: u64, amount_in: i64, amount_out: i64) -> Forward {
    Forward {
        at_ns,
        scid_in: Scid(scid_in),
        scid_out: Scid(scid_out),
        amount_in: Msat::new(amount_in),
        amount_out: Msat::new(amount_out),
        htlc_in: 0,
    }
}

/// A payment of one settled part; circular where `to` is the profile's node.
pub(super) fn payment(index: u64, resolved_ns: i64, to: Pubkey, amount: i64, fee: i64) -> Payment {
    Payment {
        index,
        hash: format!("{index:064x}"),
        created_ns: resolved_ns - 5_000_000_000,
        status: PaymentStatus::Succeeded,
        value: Msat::new(amount),
        fee: Msat::new(fee),
        failure: None,
        keysend: false,
        parts: vec![PaymentPart {
            attempt: index * 10,
            status: PaymentStatus::Succeeded,
            amount: Msat::new(amount),
            fee: Msat::new(fee),
            resolved_ns: Some(resolved_ns),
            first_scid: Scid(11),
            last_scid: Scid(22),
            destination: Some(to),
        }],
    }
}

pub(crate) fn channel(n: u64) -> Channel {
    Channel {
        point: outpoint(n),
        scid: Scid(n),
        other_scids: vec![Scid((16_000_000 << 40) | n)],
        peer: pubkey(1000 + n),
        peer_alias: Some(format!("peer {n}")),
        capacity: Sat::new(1_000_000),
        local: Sat::new(600_000),
        remote: Sat::new(396_530),
        unsettled: Sat::ZERO,
        commit_fee: Sat::new(2_810),
        opened_by_us: true,
        active: true,
        private: false,
        anchors: true,
        local_reserve: Sat::new(10_000),
        remote_reserve: Sat::new(10_000),
        total_sent: Sat::ZERO,
        total_received: Sat::ZERO,
        updates: 7,
        lifetime_s: 100,
        uptime_s: 100,
        htlcs: Vec::new(),
        status_flags: "ChanStatusDefault".to_owned(),
    }
}

pub(crate) fn snapshot(at: UnixMs, channels: u64) -> Snapshot {
    let info = Info {
        pubkey: pubkey(1),
        alias: "bob".to_owned(),
        network: Network::Regtest,
        version: "0.21.99-beta".to_owned(),
        block_height: 500,
        best_header_at: None,
        synced_to_chain: true,
        synced_to_graph: true,
        peers: 1,
    };
    let node = NodeView {
        channels: Some((1..=channels).map(channel).collect()),
        closed: Some(Vec::new()),
        wallet: Some(Wallet {
            confirmed: Sat::new(100_000),
            unconfirmed: Sat::ZERO,
            locked: Sat::ZERO,
            anchor_reserve: Sat::new(10_000),
        }),
        peers: Some(vec![Peer {
            pubkey: pubkey(1001),
            address: "127.0.0.1:9735".to_owned(),
            inbound: false,
            ping_us: 900,
            flaps: 1,
            last_flap_at: None,
        }]),
        ..NodeView::bare(info)
    };
    let (public, gaps, sources) = (PublicView::default(), Vec::new(), Vec::new());
    Snapshot { schema: crate::snapshot::SCHEMA, taken_at: at, node, public, gaps, sources, host: None }
}

/// A whole report of the day of `at`.
pub(super) fn report(profile: &Profile, at: UnixMs, revision: u32) -> Report {
    let time = Time(UnixMs::from_secs(at.secs()));
    Report {
        report_id: new_id(at),
        user_id: profile.user.clone(),
        tenant_id: profile.tenant.clone(),
        node_pubkey: profile.pubkey.clone(),
        node_alias: profile.alias.clone(),
        report_date: at.day(),
        generation_timestamp: time,
        report_version: crate::report::REPORT_VERSION.to_owned(),
        revision,
        window_start: Time(at.plus(-crate::units::DAY_MS)),
        window_end: time,
        backfilled: false,
        summary: Summary {
            overall_score: Some(68),
            score_delta_24h: None,
            status: Status::Warning,
            critical_alerts: 0,
            warnings: 1,
            capacity_btc: Some(Btc(Sat::new(24_300_000))),
            channels_count: Some(7),
            forwarding_rate_24h: Some(10.458_333),
            revenue_sats_24h: Some(Sat::new(12_630)),
        },
        metrics: Metrics {
            capacity: crate::report::CapacityMetrics::default(),
            channels: crate::report::ChannelMetrics::default(),
            forwarding: crate::report::ForwardingMetrics::default(),
            fees: crate::report::FeeMetrics::default(),
            network: crate::report::NetworkMetrics::default(),
        },
        money: Money::default(),
        score_version: 1,
        score_parts: Vec::new(),
        safety: Safety::default(),
        alerts: Vec::new(),
        judged_rules: Vec::new(),
        recommendations: Vec::new(),
        advice_updates: Vec::new(),
        advice_kept: None,
        trends: Trends::default(),
        changes: Changes::default(),
        sources: Vec::new(),
        facts: Vec::new(),
        gaps: Vec::new(),
        not_measured: Vec::new(),
        rag_asset_id: None,
        rag_indexed: false,
        generation_status: GenerationStatus::Complete,
        error_message: None,
        retry_count: 0,
        created_at: time,
        updated_at: time,
    }
}

pub(super) fn alert(key: &str, severity: Severity, at: UnixMs) -> Alert {
    let (rule, subject) = key.split_once(':').unwrap();
    Alert {
        severity,
        rule: rule.to_owned(),
        title: format!("{rule} of {subject}"),
        description: String::new(),
        detected_at: Time(at),
        requires_action: true,
        alert_key: key.to_owned(),
        subject: subject.to_owned(),
        ongoing: false,
        state: None,
        acknowledged_at: None,
        muted_until: None,
    }
}

pub(super) fn advice(key: &str, gain: i64) -> Recommendation {
    Recommendation {
        act: None,
        first_advised: None,
        gain_low_sats_month: None,
        gain_high_sats_month: None,
        priority: Priority::High,
        category: Category::Fees,
        title: "lower the fee".to_owned(),
        description: String::new(),
        impact_score: 5,
        channels_affected: Vec::new(),
        suggested_action: "lncli updatechanpolicy".to_owned(),
        estimated_gain_sats_month: Some(Sat::new(gain)),
        advice_key: key.to_owned(),
        evidence: vec![Evidence { name: "rate".to_owned(), value: "1500 ppm".to_owned() }],
        confidence: 0.5,
        cost_sats: None,
        payback_days: None,
    }
}

/// The document that is announced.
pub(super) fn document(report: &Report) -> String {
    serde_json::to_string_pretty(report).unwrap()
}

/// Announces a report of the day of `at` and writes its file.
pub(super) fn announce(fixture: &Fixture, at: UnixMs) -> (Report, String) {
    let revision = fixture.store.next_revision(&fixture.profile, at.day()).unwrap();
    let report = report(&fixture.profile, at, revision);
    let text = document(&report);
    fixture.store.put_report(&fixture.profile, &report, &text).unwrap();
    fixture.store.flush_files().unwrap();
    (report, text)
}

pub(super) fn day(text: &str) -> Day {
    text.parse().unwrap()
}
