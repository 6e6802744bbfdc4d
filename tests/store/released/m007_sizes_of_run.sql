BEGIN TRANSACTION;
CREATE TABLE artifact (
    run_id INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL,
    weights_bytes INTEGER NOT NULL,
    file VARCHAR,
    PRIMARY KEY (run_id),
    FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "artifact" VALUES(1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',1000,NULL);
CREATE TABLE audit (
    run_id INTEGER NOT NULL,
    digest VARCHAR NOT NULL,
    n_bytes INTEGER NOT NULL,
    val_loss FLOAT NOT NULL,
    flagged BOOLEAN NOT NULL,
    why VARCHAR NOT NULL,
    audited_at FLOAT NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (run_id),
    CONSTRAINT audit_is_finite CHECK (val_loss >= 0 AND val_loss < 1e9),
    FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "audit" VALUES(1,'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee',65536,1.52,0,'nothing to compare its gap with',1780000000.0,99);
CREATE TABLE belt (
    id INTEGER NOT NULL,
    identity JSON NOT NULL,
    division VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    verdict_id INTEGER,
    taken_at FLOAT NOT NULL,
    lost_at FLOAT,
    rev INTEGER NOT NULL, study_id INTEGER REFERENCES study (id),
    PRIMARY KEY (id),
    FOREIGN KEY(fingerprint) REFERENCES config (fingerprint),
    FOREIGN KEY(verdict_id) REFERENCES verdict (id)
);
INSERT INTO "belt" VALUES(1,'{"track": "featherweight", "track_version": 1, "corpus_digest": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "steps": 500, "batch": 32, "seq_len": 96, "evaluator_version": 1, "device_class": "cpu/test", "numerics_version": 1, "short": false}','optimizer','25c3f6512764c20370df4f86d242c682',NULL,1.79578111339900708194e+09,NULL,12,1);
CREATE TABLE clock (
    id INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT one_clock CHECK (id = 1)
);
INSERT INTO "clock" VALUES(1,12);
CREATE TABLE config (
    fingerprint VARCHAR NOT NULL,
    config JSON NOT NULL,
    PRIMARY KEY (fingerprint)
);
INSERT INTO "config" VALUES('25c3f6512764c20370df4f86d242c682','{"track": "featherweight", "budget": {"steps": 500, "batch": 32, "seq_len": 96}, "picks": {"features": [], "mixer": [{"name": "softmax", "knobs": {}}], "mixer_modifiers": [], "ffn": [{"name": "relu2", "knobs": {"mult": 4}}], "residual": [{"name": "pre_norm", "knobs": {}}], "block_modifiers": [], "head": [{"name": "untied", "knobs": {}}], "init": [{"name": "zero_output", "knobs": {"embedding_std": 0.3}}], "optimizer": [{"name": "adamw", "knobs": {"lr": 0.001, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.01}}], "schedule": [{"name": "linear", "knobs": {"warmup": 0.04, "hold": 0.0, "floor": 0.0}}], "averaging": [{"name": "last", "knobs": {}}], "addons": [], "precision": [{"name": "fp32", "knobs": {}}], "codec": [{"name": "zstd", "knobs": {"level": 9}}], "evaluator": [{"name": "windows", "knobs": {}}]}}');
INSERT INTO "config" VALUES('86d47a25bf9ce618def63f2c21c05333','{"track": "featherweight", "budget": {"steps": 500, "batch": 32, "seq_len": 96}, "picks": {"features": [], "mixer": [{"name": "softmax", "knobs": {}}], "mixer_modifiers": [], "ffn": [{"name": "relu2", "knobs": {"mult": 4}}], "residual": [{"name": "pre_norm", "knobs": {}}], "block_modifiers": [], "head": [{"name": "untied", "knobs": {}}], "init": [{"name": "zero_output", "knobs": {"embedding_std": 0.3}}], "optimizer": [{"name": "adamw", "knobs": {"lr": 0.002, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.01}}], "schedule": [{"name": "linear", "knobs": {"warmup": 0.04, "hold": 0.0, "floor": 0.0}}], "averaging": [{"name": "last", "knobs": {}}], "addons": [], "precision": [{"name": "fp32", "knobs": {}}], "codec": [{"name": "zstd", "knobs": {"level": 9}}], "evaluator": [{"name": "windows", "knobs": {}}]}}');
INSERT INTO "config" VALUES('b520e3261bf7b88d0e7198a3a5a0132f','{"track": "featherweight", "budget": {"steps": 500, "batch": 32, "seq_len": 96}, "picks": {"features": [], "mixer": [{"name": "softmax", "knobs": {}}], "mixer_modifiers": [], "ffn": [{"name": "relu2", "knobs": {"mult": 4}}], "residual": [{"name": "pre_norm", "knobs": {}}], "block_modifiers": [], "head": [{"name": "untied", "knobs": {}}], "init": [{"name": "zero_output", "knobs": {"embedding_std": 0.3}}], "optimizer": [{"name": "adamw", "knobs": {"lr": 0.003, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.01}}], "schedule": [{"name": "linear", "knobs": {"warmup": 0.04, "hold": 0.0, "floor": 0.0}}], "averaging": [{"name": "last", "knobs": {}}], "addons": [], "precision": [{"name": "fp32", "knobs": {}}], "codec": [{"name": "zstd", "knobs": {"level": 9}}], "evaluator": [{"name": "windows", "knobs": {}}]}}');
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
INSERT INTO "event" VALUES(1,1.79530888181617736816e+09,1,NULL,'begun','process 1 on host');
INSERT INTO "event" VALUES(2,1.79530888194443798066e+09,1,0,'complete','val_loss 1.5000, 1,000 bytes');
INSERT INTO "event" VALUES(3,1.79530888200605392461e+09,1,1,'failed','diverged: it ended');
INSERT INTO "event" VALUES(4,1.79530888202405214306e+09,1,2,'refused','too large');
INSERT INTO "event" VALUES(5,1.79530888204357600215e+09,1,NULL,'ended','all trials are done');
INSERT INTO "event" VALUES(6,1.79578111340624570844e+09,1,NULL,'belt','takes the optimizer belt at 500 steps');
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
CREATE TABLE migration (
    name VARCHAR NOT NULL,
    applied_at FLOAT NOT NULL,
    PRIMARY KEY (name)
);
INSERT INTO "migration" VALUES('m001_initial',1.79530888171112012864e+09);
INSERT INTO "migration" VALUES('m002_seed_of_trial',0.0);
INSERT INTO "migration" VALUES('m003_audits',1.79553052172268056869e+09);
INSERT INTO "migration" VALUES('m004_pace_of_run',1.79577602442531251902e+09);
INSERT INTO "migration" VALUES('m005_study_of_belt',1.79578111331087160113e+09);
INSERT INTO "migration" VALUES('m006_too_slow',1.79578242290024018288e+09);
INSERT INTO "migration" VALUES('m007_sizes_of_run',1.79579934831136131282e+09);
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
    pace BLOB, sizes BLOB,
    PRIMARY KEY (id),
    UNIQUE (fingerprint, seed, track_version, corpus_digest, evaluator_version, numerics_version, device_class, threads, attempt),
    CONSTRAINT state_is_known CHECK (state IN ('queued', 'running', 'complete', 'pruned', 'refused', 'failed', 'interrupted')),
    CONSTRAINT reason_is_known CHECK (reason IN ('refused', 'diverged', 'out_of_memory', 'out_of_time', 'too_large', 'too_slow', 'crashed', 'killed', 'interrupted')),
    CONSTRAINT complete_means_scored CHECK ((state = 'complete') = (val_loss IS NOT NULL)),
    CONSTRAINT val_loss_is_finite CHECK (val_loss IS NULL OR (val_loss >= 0 AND val_loss < 1e9)),
    FOREIGN KEY(fingerprint) REFERENCES config (fingerprint)
);
INSERT INTO "run" VALUES(1,'25c3f6512764c20370df4f86d242c682',1001,1,'toystories','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',1,1,'cpu/test',1,1,'complete',NULL,'','',500,1.5,0.0,1000,851968,1000000000000,1536000,100.0,3.0,9.0,1000000000,1.79530888187485694888e+09,1.79530888192932271954e+09,'{"torch": "2.13.0"}',X'28B52FFD20381D0100A00A00F03F0840F87F32140040CDCCCCCCCCCC0040050037B3F8590618786560026001',5,X'28B52FFD2020CD0000680000F03F88D3400000E00008400400336780182A872D8005',X'28B52FFD2076F502009245141A80A93AF8C29D235110B6442E3C8209AE091BFB2D913307B332028B94CCC912289808A6E04060101AFD12641D0140D852FD71B81132ECDA3AF667CC3CED6A78C2763DF5D65619D3B0FB4B1C85EB2A2B02031004B3FD8894D11803');
INSERT INTO "run" VALUES(2,'86d47a25bf9ce618def63f2c21c05333',1001,1,'toystories','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',1,1,'cpu/test',1,1,'failed','diverged','it ended','last words',88,NULL,NULL,NULL,NULL,NULL,NULL,0.0,NULL,NULL,NULL,1.79530888197213625906e+09,1.79530888200333976745e+09,'{"torch": "2.13.0"}',X'28B52FFD20381D0100A00A00F03F0840F87F32140040CDCCCCCCCCCC0040050037B3F8590618786560026001',9,NULL,NULL);
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
INSERT INTO "study" VALUES(1,'lab','{"name": "lab", "track_name": "featherweight", "division_name": "optimizer", "n_trials": 5, "budget": {"steps": 500, "batch": 32, "seq_len": 96}, "corpus_name": "toystories", "corpus_digest": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "data": "auto", "seed": 1001, "policy": "tpe", "settings": []}',1.7953088817931785584e+09,0,NULL,NULL,NULL,1.79530888180086231229e+09,NULL,'all trials are done',11);
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
INSERT INTO "technique_card" VALUES(1,1,'optimizer','adamw','{"slot": "optimizer", "name": "adamw", "doc": "Adam.", "source": "here", "knobs": []}');
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
    rev INTEGER NOT NULL, seed INTEGER,
    PRIMARY KEY (id),
    UNIQUE (study_id, number),
    CONSTRAINT state_is_known CHECK (state IN ('queued', 'running', 'complete', 'pruned', 'refused', 'failed', 'interrupted')),
    FOREIGN KEY(study_id) REFERENCES study (id),
    FOREIGN KEY(fingerprint) REFERENCES config (fingerprint)
);
INSERT INTO "trial" VALUES(1,1,0,'tpe','a rule','a reason','',NULL,'{"adamw.lr": 0.001}','25c3f6512764c20370df4f86d242c682','complete','',1.79530888185112190253e+09,1.79530888192932271954e+09,5,1002);
INSERT INTO "trial" VALUES(2,1,1,'tpe','a rule','a reason','',NULL,'{"adamw.lr": 0.002}','86d47a25bf9ce618def63f2c21c05333','failed','',1.79530888195602107045e+09,1.79530888200333976745e+09,9,NULL);
INSERT INTO "trial" VALUES(3,1,2,'tpe','a rule','a reason','',NULL,'{"adamw.lr": 0.003}','b520e3261bf7b88d0e7198a3a5a0132f','refused','too large',1.79530888202386498453e+09,1.79530888202404308312e+09,10,NULL);
CREATE TABLE trial_run (
    trial_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    PRIMARY KEY (trial_id, run_id),
    FOREIGN KEY(trial_id) REFERENCES trial (id),
    FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "trial_run" VALUES(1,1);
INSERT INTO "trial_run" VALUES(2,2);
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
    rev INTEGER NOT NULL, why VARCHAR NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    FOREIGN KEY(study_id) REFERENCES study (id)
);
CREATE INDEX ix_study_rev ON study (rev);
CREATE INDEX ix_trial_rev ON trial (rev);
CREATE INDEX ix_curve_point_run_id ON curve_point (run_id);
CREATE INDEX ix_trial_run_run_id ON trial_run (run_id);
CREATE INDEX ix_run_rev ON run (rev)
;
COMMIT;
