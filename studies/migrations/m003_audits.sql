ALTER TABLE verdict ADD COLUMN why VARCHAR NOT NULL DEFAULT '';
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
)
