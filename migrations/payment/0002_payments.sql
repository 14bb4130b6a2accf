-- One payment per booking; its row is also the tombstone of one that was cancelled before it came.
CREATE TABLE payment (
    booking_id uuid PRIMARY KEY,
    payment_id uuid NOT NULL,
    user_id uuid,
    amount bigint,
    currency text,
    pay_by timestamptz,
    status text NOT NULL,
    cancel_wanted boolean NOT NULL DEFAULT false,
    decline_code text,
    captured bigint NOT NULL DEFAULT 0,
    refunded bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL,
    CONSTRAINT payment_status CHECK (status IN ('open', 'processing', 'succeeded', 'failed',
        'cancelled', 'refunding', 'refunded')),
    CONSTRAINT payment_terms CHECK (num_nulls(user_id, amount, currency, pay_by) = 0
        OR num_nonnulls(user_id, amount, currency, pay_by) = 0 AND status = 'cancelled'),
    CONSTRAINT payment_amount CHECK (amount > 0),
    CONSTRAINT payment_cancel_wanted CHECK (NOT cancel_wanted OR status = 'processing'),
    CONSTRAINT payment_decline_code CHECK ((status = 'failed') = (decline_code IS NOT NULL)),
    CONSTRAINT payment_money CHECK (refunded BETWEEN 0 AND captured)
);

-- What the refund worker looks for.
CREATE INDEX payment_refunding ON payment (booking_id) WHERE status = 'refunding';

CREATE TABLE attempt (
    booking_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    method text NOT NULL,
    outcome text,
    decline_kind text,
    decline_code text,
    PRIMARY KEY (booking_id, id),
    CONSTRAINT attempt_payment FOREIGN KEY (booking_id) REFERENCES payment,
    CONSTRAINT attempt_outcome CHECK (outcome IN ('approved', 'declined', 'voided', 'returning',
        'returned')),
    CONSTRAINT attempt_decline CHECK (CASE WHEN outcome = 'declined'
        THEN num_nonnulls(decline_kind, decline_code) = 2 AND decline_kind IN ('soft', 'hard')
        ELSE num_nonnulls(decline_kind, decline_code) = 0 END)
);

-- No payment has two attempts at the provider; also what the resolver looks for.
CREATE UNIQUE INDEX attempt_unresolved ON attempt (booking_id) WHERE outcome IS NULL;
CREATE INDEX attempt_returning ON attempt (booking_id) WHERE outcome = 'returning';

-- What a buyer's Idempotency-Key was used for, for 24 h.
CREATE TABLE idempotency_key (
    user_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    attempt_id uuid,
    answered_processing boolean NOT NULL DEFAULT false,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_key_used_at ON idempotency_key USING brin (used_at);
