-- Sources' health, what a watcher sees beside failures and connections, alerts with a life, and messages on their way.

-- One row for each check of a source; old ones are summed by day. `source` is its name, `subject` which of its kind: the
-- node's key for `lnd`, the address for a public source.
CREATE TABLE source_checks (
    tenant INTEGER NOT NULL,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    good INTEGER NOT NULL,
    latency_ms INTEGER,
    error TEXT,
    detail TEXT,
    version TEXT,
    newest_ms INTEGER,
    PRIMARY KEY (tenant, source, subject, at_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE source_days (
    tenant INTEGER NOT NULL,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    day INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    good INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, subject, day)
) STRICT, WITHOUT ROWID;

-- The circuit breaker of each source: `closed`, `open` until a time, or `half_open` while one try is out.
CREATE TABLE source_states (
    tenant INTEGER NOT NULL,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    failures INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    until_ms INTEGER,
    last_good_ms INTEGER,
    last_error TEXT,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, subject)
) STRICT, WITHOUT ROWID;

-- LND's own word for why a forward failed, beside the reason that it stands for.
ALTER TABLE htlc_failures ADD COLUMN detail TEXT;

-- Days of connections, of which the single ones are no longer kept.
CREATE TABLE peer_days (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    peer TEXT NOT NULL,
    day INTEGER NOT NULL,
    watched_ms INTEGER NOT NULL,
    connected_ms INTEGER NOT NULL,
    breaks INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, peer, day)
) STRICT, WITHOUT ROWID;

-- Days of balances, weighted by time, of which the single samples are no longer kept.
CREATE TABLE balance_days (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    day INTEGER NOT NULL,
    measured_ms INTEGER NOT NULL,
    local_mean_msat INTEGER NOT NULL,
    local_low_msat INTEGER NOT NULL,
    local_high_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, channel, day)
) STRICT, WITHOUT ROWID;

-- What a stream told of a channel: opened, closed, active, inactive and the like.
CREATE TABLE channel_events (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    point TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (tenant, node, at_ms, point, kind)
) STRICT, WITHOUT ROWID;

-- Events of a kind that this daznode does not know: counted, with one of them as it came.
CREATE TABLE unknown_events (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    seen INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    example BLOB NOT NULL,
    PRIMARY KEY (tenant, node, stream, kind)
) STRICT, WITHOUT ROWID;

-- The watcher of a profile: since when it runs, and when it was last well.
CREATE TABLE watchers (
    tenant INTEGER NOT NULL,
    profile TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    well_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant, profile)
) STRICT, WITHOUT ROWID;

-- An alert's life. `told_*`: what was last said of it to the outside; `occurrence` counts the times that it came back.
ALTER TABLE alerts ADD COLUMN description TEXT;
ALTER TABLE alerts ADD COLUMN acknowledged_ms INTEGER;
ALTER TABLE alerts ADD COLUMN told_ms INTEGER;
ALTER TABLE alerts ADD COLUMN told_severity TEXT;
ALTER TABLE alerts ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN occurrence INTEGER NOT NULL DEFAULT 1;
-- Whether it came and went so often that it is damped, and the watcher's first look that missed it.
ALTER TABLE alerts ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN gone_ms INTEGER;
UPDATE alerts SET occurrence = (SELECT count(*) FROM alerts AS b WHERE b.tenant = alerts.tenant
    AND b.profile = alerts.profile AND b.alert_key = alerts.alert_key AND b.detected_ms <= alerts.detected_ms);
CREATE INDEX alerts_by_key ON alerts (tenant, profile, alert_key, detected_ms);
-- What was said with it: a comment, the reason of a mute. `report` holds the id of what it came with.
ALTER TABLE alert_events ADD COLUMN note TEXT;

-- Nothing is sent of a muted key, or of any of a muted rule, until then.
CREATE TABLE alert_mutes (
    tenant INTEGER NOT NULL,
    profile TEXT NOT NULL,
    pattern TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (tenant, profile, pattern)
) STRICT, WITHOUT ROWID;

-- The first shape of `outbox` was never written to.
DROP TABLE outbox;
-- One row for each event and channel. `state`: waiting, sent, dead; `event` is the event as JSON; until `held_ms` the
-- service asked to be left alone.
CREATE TABLE outbox (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL,
    profile TEXT,
    channel TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    not_before_ms INTEGER NOT NULL,
    held_ms INTEGER,
    tries INTEGER NOT NULL,
    last_error TEXT,
    created_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, channel, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_waiting ON outbox (tenant, not_before_ms) WHERE state = 'waiting';
CREATE INDEX outbox_by_end ON outbox (tenant, state, ended_ms);
