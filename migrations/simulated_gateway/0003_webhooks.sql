-- Webhooks that are to be sent: something has happened to this intent that nobody was waiting for.
CREATE TABLE webhook (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    intent uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    next_try timestamptz NOT NULL DEFAULT now(),
    tries integer NOT NULL DEFAULT 0
);

CREATE INDEX webhook_next_try ON webhook (next_try);

-- When the money is back; null if it went back at once.
ALTER TABLE refund ADD COLUMN due_at timestamptz;
