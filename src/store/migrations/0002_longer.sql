-- Longer periods, what a watcher sees, the machine, and what became of advice. What can be told of older rows is filled
-- from the sums that are there; the rest is null: not known.

-- The parts of a day's score as JSON, what held it down, and its settled forwards.
ALTER TABLE reports ADD COLUMN parts TEXT;
ALTER TABLE reports ADD COLUMN score_cap INTEGER;
ALTER TABLE reports ADD COLUMN forwards INTEGER;

-- What is to be done, as JSON, and when the advice took its present state.
ALTER TABLE advice ADD COLUMN act TEXT;
ALTER TABLE advice ADD COLUMN state_ms INTEGER;
CREATE INDEX advice_by_time ON advice (tenant, profile, first_ms);
ALTER TABLE advice_outcomes ADD COLUMN anyway_msat INTEGER;

-- Sums of forwards by channel, kept like `forward_days`: a quarter of these is read where pairs would be too many.
CREATE TABLE channel_days (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    day INTEGER NOT NULL,
    scid INTEGER NOT NULL,
    forwards_in INTEGER NOT NULL,
    amount_in_msat INTEGER NOT NULL,
    fees_assisted_msat INTEGER NOT NULL,
    forwards_out INTEGER NOT NULL,
    amount_out_msat INTEGER NOT NULL,
    fees_earned_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, day, scid)
) STRICT, WITHOUT ROWID;

-- The same over all days.
CREATE TABLE channel_totals (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    scid INTEGER NOT NULL,
    forwards_in INTEGER NOT NULL,
    amount_in_msat INTEGER NOT NULL,
    fees_assisted_msat INTEGER NOT NULL,
    forwards_out INTEGER NOT NULL,
    amount_out_msat INTEGER NOT NULL,
    fees_earned_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, scid)
) STRICT, WITHOUT ROWID;

INSERT INTO channel_days (tenant, node, day, scid, forwards_in, amount_in_msat, fees_assisted_msat, forwards_out,
    amount_out_msat, fees_earned_msat)
SELECT tenant, node, day, scid, sum(n_in), sum(amount_in), sum(assisted), sum(n_out), sum(amount_out), sum(earned)
FROM (
    SELECT tenant, node, day, scid_in AS scid, forwards AS n_in, amount_in_msat AS amount_in, fees_msat AS assisted,
        0 AS n_out, 0 AS amount_out, 0 AS earned FROM forward_days
    UNION ALL
    SELECT tenant, node, day, scid_out, 0, 0, 0, forwards, amount_out_msat, fees_msat FROM forward_days
) AS sides
GROUP BY tenant, node, day, scid;

INSERT INTO channel_totals (tenant, node, scid, forwards_in, amount_in_msat, fees_assisted_msat, forwards_out,
    amount_out_msat, fees_earned_msat)
SELECT tenant, node, scid, sum(forwards_in), sum(amount_in_msat), sum(fees_assisted_msat), sum(forwards_out),
    sum(amount_out_msat), sum(fees_earned_msat)
FROM channel_days
GROUP BY tenant, node, scid;

-- Sums of `htlc_failures`, kept in the transaction that stores those. `failure` is the reason's name.
CREATE TABLE failure_days (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    day INTEGER NOT NULL,
    scid_in INTEGER NOT NULL,
    scid_out INTEGER NOT NULL,
    failure TEXT NOT NULL,
    failures INTEGER NOT NULL,
    amount_out_msat INTEGER NOT NULL,
    fees_msat INTEGER NOT NULL,
    PRIMARY KEY (tenant, node, day, scid_in, scid_out, failure)
) STRICT, WITHOUT ROWID;
CREATE INDEX peer_sessions_by_end ON peer_sessions (tenant, node, to_ms);

-- The machine at a collection; what could not be told is null. `disks` is a JSON list.
CREATE TABLE host_samples (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    disks TEXT NOT NULL,
    database_bytes INTEGER,
    memory_available_bytes INTEGER,
    memory_total_bytes INTEGER,
    clock_ahead_ms INTEGER,
    clock_source TEXT,
    clock_as_of_ms INTEGER,
    PRIMARY KEY (tenant, node, at_ms)
) STRICT, WITHOUT ROWID;

-- Ids of the transactions that would close a channel by force, as they were last seen.
CREATE TABLE commitments (
    tenant INTEGER NOT NULL,
    node INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    ours TEXT NOT NULL,
    theirs TEXT NOT NULL,
    theirs_next TEXT,
    PRIMARY KEY (tenant, node, channel)
) STRICT, WITHOUT ROWID;

CREATE INDEX policy_changes_by_time ON policy_changes (tenant, node, at_ms);

-- A channel as it was last seen open: the fee of its commitment, the peer's alias, and when that was.
ALTER TABLE channels ADD COLUMN commit_fee_msat INTEGER;
ALTER TABLE channels ADD COLUMN peer_alias TEXT;
ALTER TABLE channels ADD COLUMN open_ms INTEGER;
