-- Messages wait here, in the transaction that caused them, until the broker has them.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    message_id uuid NOT NULL DEFAULT gen_random_uuid(),
    topic text NOT NULL,
    key uuid NOT NULL,
    kind text NOT NULL,
    correlation uuid,
    attempt integer NOT NULL DEFAULT 1,
    trace text,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Messages that no retry can heal, with the error that says why.
CREATE TABLE dead_letter (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic text NOT NULL,
    "partition" integer NOT NULL,
    "offset" bigint NOT NULL,
    key bytea,
    kind text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    error text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dead_letter_once UNIQUE (topic, "partition", "offset")
);
