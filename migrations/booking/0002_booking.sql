-- One row a booking: the order, which never changes, and where its saga is.
CREATE TABLE booking (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    event_id uuid NOT NULL,
    items json NOT NULL,
    expected_amount bigint,
    expected_currency text,
    created_at timestamptz NOT NULL,
    pay_by timestamptz NOT NULL,
    version bigint NOT NULL,
    stage text NOT NULL,
    -- why it is undone or rejected
    reason text,
    payable boolean NOT NULL,
    released boolean NOT NULL,
    refunded boolean NOT NULL,
    -- what event-service holds for it
    offer json,
    tickets json,
    -- how often the stage's pending commands were sent, and when they are sent again
    attempt integer NOT NULL,
    wake_at timestamptz,
    due_at timestamptz,
    stuck text,
    updated_at timestamptz NOT NULL,
    CONSTRAINT booking_expected_total
        CHECK ((expected_amount IS NULL) = (expected_currency IS NULL)),
    CONSTRAINT booking_stage CHECK (stage IN ('reserving', 'awaiting', 'cancelling', 'confirming',
        'confirmed', 'releasing', 'refunding', 'rejected', 'cancelled')),
    CONSTRAINT booking_ends_without_alarm
        CHECK ((stage IN ('confirmed', 'rejected', 'cancelled')) = (wake_at IS NULL)),
    CONSTRAINT booking_due_before_payment
        CHECK ((stage IN ('reserving', 'awaiting')) = (due_at IS NOT NULL))
);

-- A buyer's bookings, newest first: ids are in order of time.
CREATE INDEX booking_of_user ON booking (user_id, id);

-- Deadlines and resends.
CREATE INDEX booking_alarm ON booking (LEAST(due_at, wake_at)) WHERE wake_at IS NOT NULL;

-- An event's bookings that are not on their way out.
CREATE INDEX booking_of_event ON booking (event_id)
    WHERE stage IN ('reserving', 'awaiting', 'cancelling', 'confirming', 'confirmed');

CREATE INDEX booking_stuck ON booking (updated_at) WHERE stuck IS NOT NULL;

-- What happened to each booking. Written in the transaction of its change; no foreign key, since
-- checking one would lock every booking once more.
CREATE TABLE saga_log (
    booking_id uuid NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    input text NOT NULL,
    from_stage text,
    to_stage text NOT NULL,
    -- the names of the messages sent, separated by spaces
    sent text NOT NULL,
    CONSTRAINT saga_log_once PRIMARY KEY (booking_id, seq)
);

-- Which booking a ticket is of, also after it was given back.
CREATE TABLE ticket (
    code uuid NOT NULL,
    booking_id uuid NOT NULL,
    CONSTRAINT ticket_code_once PRIMARY KEY (code)
);

-- The names clients gave their requests, kept for a day.
CREATE TABLE idempotency_key (
    user_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    booking_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_key_once PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_key_age ON idempotency_key (created_at);

-- Events that do not take place; open while bookings may have to be undone.
CREATE TABLE cancelled_event (
    event_id uuid PRIMARY KEY,
    announced_at timestamptz NOT NULL,
    open boolean NOT NULL
);

CREATE INDEX cancelled_event_open ON cancelled_event (announced_at) WHERE open;
