-- The simulated provider's books, which payment-service cannot read.

-- What was asked under each idempotency key, and the one answer that key ever gets.
CREATE TABLE charge (
    key text PRIMARY KEY,
    intent uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    answer text,
    decline_code text,
    CONSTRAINT charge_amount CHECK (amount > 0),
    CONSTRAINT charge_answer CHECK (answer IN ('captured', 'declined', 'voided')),
    CONSTRAINT charge_decline_code CHECK ((answer IS NOT DISTINCT FROM 'declined')
        = (decline_code IS NOT NULL))
);

-- How an intent ended. Captured or voided, and once: its primary key decides between them.
CREATE TABLE intent (
    id uuid PRIMARY KEY,
    fate text NOT NULL,
    charge_key text,
    at timestamptz NOT NULL,
    CONSTRAINT intent_fate CHECK (fate IN ('captured', 'voided')),
    CONSTRAINT intent_charge CHECK ((fate = 'captured') = (charge_key IS NOT NULL))
);

CREATE TABLE refund (
    key text PRIMARY KEY,
    intent uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT refund_amount CHECK (amount > 0),
    -- Only an intent that ended can give money back.
    CONSTRAINT refund_intent FOREIGN KEY (intent) REFERENCES intent
);
