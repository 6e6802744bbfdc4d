CREATE TABLE clock (
    id INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT one_clock CHECK (id = 1)
);
CREATE TABLE config (
    fingerprint VARCHAR NOT NULL,
    config JSON NOT NULL,
    PRIMARY KEY (fingerprint)
);
CREATE TABLE migration (
    name VARCHAR NOT NULL,
    applied_at FLOAT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE study (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    spec JSON NOT NULL,
    created_at FLOAT NOT NULL,
    shipped BOOLEAN NOT NULL,
    owner_pid INTEGER,
    owner_started_at FLOAT,
    owner_host VARCHAR,
    heartbeat_at FLOAT,
    stop_requested_at FLOAT,
    ended_reason VARCHAR,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);
CREATE INDEX ix_study_rev ON study (rev);
CREATE TABLE event (
    id INTEGER NOT NULL,
    at FLOAT NOT NULL,
    study_id INTEGER,
    trial_number INTEGER,
    kind VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(study_id) REFERENCES study (id)
);
CREATE TABLE lesson (
    id INTEGER NOT NULL,
    study_id INTEGER,
    scope VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    effect FLOAT,
    created_at FLOAT NOT NULL,
    expired_at FLOAT,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(study_id) REFERENCES study (id)
);
CREATE TABLE phase (
    id INTEGER NOT NULL,
    study_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    started_at FLOAT NOT NULL,
    ended_at FLOAT,
    ended_reason VARCHAR,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (study_id, name),
    FOREIGN KEY(study_id) REFERENCES study (id)
);
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
    PRIMARY KEY (id),
    UNIQUE (fingerprint, seed, track_version, corpus_digest, evaluator_version, numerics_version, device_class, threads, attempt),
    CONSTRAINT state_is_known CHECK (state IN ('queued', 'running', 'complete', 'pruned', 'refused', 'failed', 'interrupted')),
    CONSTRAINT reason_is_known CHECK (reason IN ('refused', 'diverged', 'out_of_memory', 'out_of_time', 'too_large', 'crashed', 'killed', 'interrupted')),
    CONSTRAINT complete_means_scored CHECK ((state = 'complete') = (val_loss IS NOT NULL)),
    CONSTRAINT val_loss_is_finite CHECK (val_loss IS NULL OR (val_loss >= 0 AND val_loss < 1e9)),
    FOREIGN KEY(fingerprint) REFERENCES config (fingerprint)
);
CREATE INDEX ix_run_rev ON run (rev);
CREATE TABLE technique_card (
    id INTEGER NOT NULL,
    study_id INTEGER NOT NULL,
    slot VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    card JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (study_id, slot, name),
    FOREIGN KEY(study_id) REFERENCES study (id)
);
CREATE TABLE trial (
    id INTEGER NOT NULL,
    study_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    proposer VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    hypothesis VARCHAR NOT NULL,
    expected FLOAT,
    params JSON NOT NULL,
    fingerprint VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    created_at FLOAT NOT NULL,
    ended_at FLOAT,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (study_id, number),
    CONSTRAINT state_is_known CHECK (state IN ('queued', 'running', 'complete', 'pruned', 'refused', 'failed', 'interrupted')),
    FOREIGN KEY(study_id) REFERENCES study (id),
    FOREIGN KEY(fingerprint) REFERENCES config (fingerprint)
);
CREATE INDEX ix_trial_rev ON trial (rev);
CREATE TABLE verdict (
    id INTEGER NOT NULL,
    study_id INTEGER,
    question VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    effect FLOAT,
    low FLOAT,
    high FLOAT,
    p FLOAT,
    n INTEGER NOT NULL,
    run_ids JSON NOT NULL,
    created_at FLOAT NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(study_id) REFERENCES study (id)
);
CREATE TABLE artifact (
    run_id INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL,
    weights_bytes INTEGER NOT NULL,
    file VARCHAR,
    PRIMARY KEY (run_id),
    FOREIGN KEY(run_id) REFERENCES run (id)
);
CREATE TABLE belt (
    id INTEGER NOT NULL,
    identity JSON NOT NULL,
    division VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    verdict_id INTEGER,
    taken_at FLOAT NOT NULL,
    lost_at FLOAT,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(fingerprint) REFERENCES config (fingerprint),
    FOREIGN KEY(verdict_id) REFERENCES verdict (id)
);
CREATE TABLE curve_point (
    id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    seconds FLOAT NOT NULL,
    train_loss FLOAT NOT NULL,
    probe_loss FLOAT,
    PRIMARY KEY (id),
    FOREIGN KEY(run_id) REFERENCES run (id)
);
CREATE INDEX ix_curve_point_run_id ON curve_point (run_id);
CREATE TABLE trial_run (
    trial_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    PRIMARY KEY (trial_id, run_id),
    FOREIGN KEY(trial_id) REFERENCES trial (id),
    FOREIGN KEY(run_id) REFERENCES run (id)
);
CREATE INDEX ix_trial_run_run_id ON trial_run (run_id);
INSERT INTO clock (id, rev) VALUES (1, 0);
