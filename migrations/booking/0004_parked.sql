-- Messages of the outbox that the broker never takes, with the error that says why. They are in a table
-- of their own, so that an older release does not send them.
CREATE TABLE parked_message (
    id uuid PRIMARY KEY,
    topic text NOT NULL,
    key uuid NOT NULL,
    kind text NOT NULL,
    correlation uuid,
    attempt integer NOT NULL,
    trace text,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now()
);
