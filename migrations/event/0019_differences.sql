-- What the reconciler found: things that should agree and do not. A row is never mended by it; it is gone once
-- the two agree again.
CREATE TABLE difference (
    difference_id uuid PRIMARY KEY,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    detail text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    asked_at timestamptz,
    gone_at timestamptz,
    CONSTRAINT difference_once UNIQUE (kind, subject_id)
);

CREATE INDEX difference_open ON difference (first_seen_at) WHERE gone_at IS NULL;

-- How far the reconciler is, and when the next turn of any instance is due.
CREATE TABLE reconciler (
    kind text PRIMARY KEY,
    after_id uuid NOT NULL,
    next_at timestamptz NOT NULL
);
