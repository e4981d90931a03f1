-- The first schema. Every table carries its tenant. Times are integers (`_ms`, `_ns`), amounts msat integers, days and
-- hours counted from 1970 in UTC, ids seen outside UUIDv7 texts. `tenant`, `node` and `channel` are small numbers that
-- only the store knows, so that a million events stay small.

CREATE TABLE tenants (
    tenant INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;

-- A user's name is unique in the store, whatever the tenant: it is a folder.
CREATE TABLE users (
    tenant INTEGER NOT NULL REFERENCES tenants (tenant),
    name TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE nodes (
    tenant INTEGER NOT NULL REFERENCES tenants (tenant),
    node INTEGER NOT NULL,
    id TEXT NOT NULL,
    network TEXT NOT NULL,
    pubkey TEXT NOT NULL,
    alias TEXT NOT NULL,
    first_seen_ms INTEGER,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, node),
    UNIQUE (tenant, id),
    UNIQUE (tenant, network, pubkey)
) STRICT, WITHOUT ROWID;

CREATE TABLE profiles (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    node INTEGER NOT NULL,
    source TEXT NOT NULL,
    schedule TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    notify TEXT NOT NULL,
    folder TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    last_report_ms INTEGER,
    last_report_id TEXT,
    total_reports INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, user_name, node),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name),
    FOREIGN KEY (tenant, node) REFERENCES nodes (tenant, node)
) STRICT, WITHOUT ROWID;

-- A channel's key is its funding outpoint; every short id leads to it.
CREATE TABLE channels (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    point TEXT NOT NULL,
    peer TEXT NOT NULL,
    capacity_msat INTEGER NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, channel),
    UNIQUE (tenant, node, point)
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_scids (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    scid INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, scid)
) STRICT, WITHOUT ROWID;

-- Events. No foreign keys: a million rows are written at a time, and nothing deletes a node but `erase`.
CREATE TABLE forwards (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    scid_in INTEGER NOT NULL,
    scid_out INTEGER NOT NULL,
    htlc_in INTEGER NOT NULL,
    amount_in_msat INTEGER NOT NULL,
    amount_out_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, at_ns, scid_in, scid_out, htlc_in)
) STRICT, WITHOUT ROWID;

-- Sums of forwards, kept in the transaction that stores them.
CREATE TABLE forward_days (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    day INTEGER NOT NULL,
    scid_in INTEGER NOT NULL,
    scid_out INTEGER NOT NULL,
    forwards INTEGER NOT NULL,
    amount_in_msat INTEGER NOT NULL,
    amount_out_msat INTEGER NOT NULL,
    fees_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, day, scid_in, scid_out)
) STRICT, WITHOUT ROWID;

CREATE TABLE forward_hours (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    forwards INTEGER NOT NULL,
    amount_in_msat INTEGER NOT NULL,
    amount_out_msat INTEGER NOT NULL,
    fees_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE forward_last (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    scid INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, scid)
) STRICT, WITHOUT ROWID;

-- `settled_*` sum the settled parts; `circular` where those ended at the node itself.
CREATE TABLE payments (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    payment INTEGER NOT NULL,
    hash TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    status TEXT NOT NULL,
    value_msat INTEGER NOT NULL,
    fee_msat INTEGER NOT NULL,
    failure TEXT,
    keysend INTEGER NOT NULL,
    circular INTEGER NOT NULL,
    settled_ns INTEGER,
    settled_msat INTEGER NOT NULL,
    settled_fee_msat INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, payment)
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_in_flight ON payments (tenant, node, payment) WHERE status = 'in_flight';
CREATE INDEX payments_settled ON payments (tenant, node, settled_ns, circular, settled_msat, settled_fee_msat)
    WHERE settled_ns IS NOT NULL;
CREATE INDEX payments_circular ON payments (tenant, node, hash) WHERE circular = 1;

CREATE TABLE payment_parts (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    payment INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    status TEXT NOT NULL,
    amount_msat INTEGER NOT NULL,
    fee_msat INTEGER NOT NULL,
    resolved_ns INTEGER,
    first_scid INTEGER NOT NULL,
    last_scid INTEGER NOT NULL,
    destination TEXT,
    circular INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, payment, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_parts_circular ON payment_parts
    (tenant, node, resolved_ns, first_scid, last_scid, amount_msat, fee_msat) WHERE circular = 1;

CREATE TABLE invoices (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    invoice INTEGER NOT NULL,
    hash TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    state TEXT NOT NULL,
    value_msat INTEGER NOT NULL,
    paid_msat INTEGER NOT NULL,
    keysend INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, invoice)
) STRICT, WITHOUT ROWID;
CREATE INDEX invoices_open ON invoices (tenant, node, invoice) WHERE state IN ('open', 'accepted');
CREATE INDEX invoices_settled ON invoices (tenant, node, settled_ms) WHERE settled_ms IS NOT NULL;

CREATE TABLE chain_transactions (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    txid TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    height INTEGER,
    amount_msat INTEGER NOT NULL,
    fee_msat INTEGER NOT NULL,
    label TEXT NOT NULL,
    spends TEXT NOT NULL,
    own_outputs_msat INTEGER NOT NULL,
    outputs_msat INTEGER,
    PRIMARY KEY (tenant, node, txid)
) STRICT, WITHOUT ROWID;

CREATE TABLE closes (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    scid INTEGER NOT NULL,
    kind TEXT NOT NULL,
    closing_txid TEXT NOT NULL,
    close_height INTEGER NOT NULL,
    settled_msat INTEGER NOT NULL,
    time_locked_msat INTEGER NOT NULL,
    opened_by_us INTEGER,
    first_seen_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE resolutions (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    outpoint TEXT NOT NULL,
    amount_msat INTEGER NOT NULL,
    sweep_txid TEXT,
    PRIMARY KEY (tenant, node, channel, ordinal)
) STRICT, WITHOUT ROWID;

-- A row for each policy that differs from the one before of the same channel and side (`ours`, `theirs`).
CREATE TABLE policy_changes (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    side TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    announced_ms INTEGER NOT NULL,
    base_msat INTEGER NOT NULL,
    rate_ppm INTEGER NOT NULL,
    inbound_base_msat INTEGER NOT NULL,
    inbound_rate_ppm INTEGER NOT NULL,
    time_lock_delta INTEGER NOT NULL,
    min_htlc_msat INTEGER NOT NULL,
    max_htlc_msat INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, channel, side, at_ms)
) STRICT, WITHOUT ROWID;

-- Filled by a watcher; without one there is no coverage and nothing is said about them.
CREATE TABLE htlc_failures (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    scid_in INTEGER NOT NULL,
    htlc_in INTEGER NOT NULL,
    scid_out INTEGER NOT NULL,
    htlc_out INTEGER NOT NULL,
    amount_in_msat INTEGER NOT NULL,
    amount_out_msat INTEGER NOT NULL,
    kind TEXT NOT NULL,
    failure TEXT NOT NULL,
    PRIMARY KEY (tenant, node, at_ns, scid_in, htlc_in, scid_out, htlc_out)
) STRICT, WITHOUT ROWID;

CREATE TABLE peer_sessions (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    peer TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,
    PRIMARY KEY (tenant, node, peer, from_ms)
) STRICT, WITHOUT ROWID;

-- What was seen at a time.
CREATE TABLE channel_samples (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    local_msat INTEGER NOT NULL,
    remote_msat INTEGER NOT NULL,
    unsettled_msat INTEGER NOT NULL,
    active INTEGER NOT NULL,
    peer_connected INTEGER,
    PRIMARY KEY (tenant, node, at_ms, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet_samples (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    confirmed_msat INTEGER NOT NULL,
    unconfirmed_msat INTEGER NOT NULL,
    locked_msat INTEGER NOT NULL,
    anchor_reserve_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, at_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE peer_samples (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    peer TEXT NOT NULL,
    inbound INTEGER NOT NULL,
    ping_us INTEGER NOT NULL,
    flaps INTEGER NOT NULL,
    last_flap_ms INTEGER,
    PRIMARY KEY (tenant, node, at_ms, peer)
) STRICT, WITHOUT ROWID;

-- When each stream was watched. No row: not measured.
CREATE TABLE coverage (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    stream TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, stream, from_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    node INTEGER NOT NULL,
    profile TEXT NOT NULL,
    taken_ms INTEGER NOT NULL,
    shape INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX snapshots_by_time ON snapshots (tenant, profile, taken_ms);

-- Announced documents never change: `sha256` is of the document before it was compressed.
CREATE TABLE reports (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    profile TEXT NOT NULL,
    period TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    generation_status TEXT NOT NULL,
    status TEXT,
    score INTEGER,
    score_version INTEGER NOT NULL,
    revenue_msat INTEGER,
    forward_rate REAL,
    capacity_msat INTEGER,
    critical_alerts INTEGER NOT NULL,
    warnings INTEGER NOT NULL,
    backfilled INTEGER NOT NULL,
    window_end_ms INTEGER NOT NULL,
    retry_count INTEGER NOT NULL,
    error_message TEXT,
    rag_indexed INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    file TEXT,
    sha256 TEXT,
    document BLOB,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, profile, period, period_start, revision),
    FOREIGN KEY (tenant, profile) REFERENCES profiles (tenant, id)
) STRICT;

-- Files that are still to be written or removed. A later revision of a day takes the place of an earlier one.
CREATE TABLE pending_files (
    tenant INTEGER NOT NULL,
    file TEXT NOT NULL,
    act TEXT NOT NULL,
    report TEXT NOT NULL,
    sha256 TEXT,
    PRIMARY KEY (tenant, file)
) STRICT, WITHOUT ROWID;

-- Messages that are still to be sent.
CREATE TABLE outbox (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    event TEXT NOT NULL,
    channel TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body TEXT NOT NULL,
    not_before_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    last_error TEXT,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, idempotency_key)
) STRICT, WITHOUT ROWID;

-- One row for each key and occurrence.
CREATE TABLE alerts (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    profile TEXT NOT NULL,
    alert_key TEXT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    requires_action INTEGER NOT NULL,
    state TEXT NOT NULL,
    detected_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    resolved_ms INTEGER,
    first_report TEXT NOT NULL,
    last_report TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX alerts_open ON alerts (tenant, profile, alert_key) WHERE state = 'open';

CREATE TABLE alert_events (
    tenant INTEGER NOT NULL,
    alert TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (tenant, alert, report, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE advice (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    profile TEXT NOT NULL,
    advice_key TEXT NOT NULL,
    state TEXT NOT NULL,
    title TEXT NOT NULL,
    command TEXT NOT NULL,
    formula_version INTEGER NOT NULL,
    inputs TEXT NOT NULL,
    confidence REAL NOT NULL,
    promised_msat INTEGER,
    promised_low_msat INTEGER,
    promised_high_msat INTEGER,
    cost_msat INTEGER,
    first_report TEXT NOT NULL,
    last_report TEXT NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    followed_ms INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX advice_open ON advice (tenant, profile, advice_key) WHERE state = 'open';

CREATE TABLE advice_outcomes (
    tenant INTEGER NOT NULL,
    advice TEXT NOT NULL,
    days INTEGER NOT NULL,
    measured_ms INTEGER NOT NULL,
    gained_msat INTEGER,
    inputs TEXT NOT NULL,
    PRIMARY KEY (tenant, advice, days)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    kind TEXT NOT NULL,
    made INTEGER NOT NULL,
    partial INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    not_tried INTEGER NOT NULL,
    exit_code INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_time ON runs (tenant, started_ms);

INSERT INTO tenants (tenant, name, created_ms) VALUES (1, 'default', 0);
INSERT INTO users (tenant, name, created_ms) VALUES (1, 'default', 0);
