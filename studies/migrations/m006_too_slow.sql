PRAGMA defer_foreign_keys = ON;
CREATE TABLE run_kept AS SELECT * FROM run;
DROP TABLE run;
CREATE TABLE run (
    id INTEGER NOT NULL,
    fingerprint VARCHAR NOT NULL,
    seed INTEGER NOT NULL,
    track_version INTEGER NOT NULL,
    corpus_name VARCHAR NOT NULL,
    corpus_digest VARCHAR NOT NULL,
    evaluator_version INTEGER NOT NULL,
    numerics_version INTEGER NOT NULL,
    device_class VARCHAR NOT NULL,
    threads INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    message VARCHAR NOT NULL,
    log_tail VARCHAR NOT NULL,
    step INTEGER NOT NULL,
    val_loss FLOAT,
    quant_gap FLOAT,
    weights_bytes INTEGER,
    parameters INTEGER,
    train_flops INTEGER,
    train_tokens INTEGER,
    train_seconds FLOAT,
    probe_seconds FLOAT,
    eval_seconds FLOAT,
    peak_bytes INTEGER,
    started_at FLOAT,
    ended_at FLOAT,
    versions JSON NOT NULL,
    curve BLOB,
    rev INTEGER NOT NULL,
    pace BLOB,
    PRIMARY KEY (id),
    UNIQUE (fingerprint, seed, track_version, corpus_digest, evaluator_version, numerics_version, device_class, threads, attempt),
    CONSTRAINT state_is_known CHECK (state IN ('queued', 'running', 'complete', 'pruned', 'refused', 'failed', 'interrupted')),
    CONSTRAINT reason_is_known CHECK (reason IN ('refused', 'diverged', 'out_of_memory', 'out_of_time', 'too_large', 'too_slow', 'crashed', 'killed', 'interrupted')),
    CONSTRAINT complete_means_scored CHECK ((state = 'complete') = (val_loss IS NOT NULL)),
    CONSTRAINT val_loss_is_finite CHECK (val_loss IS NULL OR (val_loss >= 0 AND val_loss < 1e9)),
    FOREIGN KEY(fingerprint) REFERENCES config (fingerprint)
);
INSERT INTO run SELECT * FROM run_kept;
DROP TABLE run_kept;
CREATE INDEX ix_run_rev ON run (rev)
