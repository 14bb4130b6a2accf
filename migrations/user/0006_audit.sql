-- Privileged acts: who did what to whom or what, why and when. A row is written in the transaction of its
-- act, and never changes. It has no foreign key: it outlasts what it is about.
CREATE TABLE audit (
    audit_id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_id uuid,
    action text NOT NULL,
    subject_id uuid NOT NULL,
    detail text,
    reason text,
    trace_id text
);

CREATE INDEX audit_by_age ON audit (at DESC, audit_id DESC);
