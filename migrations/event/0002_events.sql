-- Events, their stock, and what bookings have of it. Capacity is free + held + sold: what is not
-- held or sold is free.

CREATE TABLE event (
    event_id uuid PRIMARY KEY,
    -- Counts edits, never sales.
    version bigint NOT NULL,
    -- Counts everything that commands are decided on: edits and changes of holds.
    stock_version bigint NOT NULL DEFAULT 0,
    organiser_id uuid NOT NULL,
    stage text NOT NULL CONSTRAINT event_stage CHECK (stage IN ('draft', 'published', 'cancelled')),
    cancel_reason text,
    title text NOT NULL,
    description text,
    venue text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    over_at timestamptz NOT NULL GENERATED ALWAYS AS (COALESCE(ends_at, starts_at)) STORED,
    time_zone text NOT NULL,
    refundable_until timestamptz,
    currency text NOT NULL,
    -- Whether a seat was ever held.
    booked boolean NOT NULL DEFAULT false,
    -- Of a cancelled event: when to say so again, while seats are taken; how often it was said.
    announce_at timestamptz,
    announced integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT event_cancelled_for_a_reason
        CHECK ((stage = 'cancelled') = (cancel_reason IS NOT NULL)),
    CONSTRAINT event_ends_after_it_starts CHECK (ends_at > starts_at)
) WITH (fillfactor = 50); -- A hot event's row is written with every batch: room for HOT updates.

CREATE INDEX event_by_end ON event (over_at);
CREATE INDEX event_by_start ON event (starts_at, event_id);
CREATE INDEX event_by_organiser ON event (organiser_id);
CREATE INDEX event_to_announce ON event (announce_at) WHERE announce_at IS NOT NULL;

CREATE TABLE ticket_type (
    ticket_type_id uuid PRIMARY KEY,
    event_id uuid NOT NULL
        CONSTRAINT ticket_type_of_event REFERENCES event ON DELETE CASCADE,
    place smallint NOT NULL,
    name text NOT NULL,
    price bigint NOT NULL CONSTRAINT ticket_type_price CHECK (price >= 0),
    capacity integer NOT NULL,
    held integer NOT NULL DEFAULT 0 CONSTRAINT ticket_type_held CHECK (held >= 0),
    sold integer NOT NULL DEFAULT 0 CONSTRAINT ticket_type_sold CHECK (sold >= 0),
    max_per_booking integer NOT NULL
        CONSTRAINT ticket_type_per_booking CHECK (max_per_booking >= 1),
    sales_start timestamptz,
    sales_end timestamptz,
    closed boolean NOT NULL DEFAULT false,
    CONSTRAINT ticket_type_not_oversold CHECK (held + sold <= capacity)
) WITH (fillfactor = 50);

CREATE INDEX ticket_type_by_event ON ticket_type (event_id, place);

-- One row per booking, for good: a released or rejected one is the tombstone that refuses whatever
-- comes late. No foreign key, as commands may name events that never were.
CREATE TABLE hold (
    booking_id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    user_id uuid,
    state text NOT NULL
        CONSTRAINT hold_state CHECK (state IN ('held', 'sold', 'released', 'rejected')),
    reason text,
    reservation jsonb,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT hold_rejected_for_a_reason CHECK ((state = 'rejected') = (reason IS NOT NULL)),
    CONSTRAINT hold_of_seats
        CHECK (state NOT IN ('held', 'sold') OR (reservation IS NOT NULL AND user_id IS NOT NULL))
) WITH (fillfactor = 70);

-- Without the state, so that a change of state stays a HOT update.
CREATE INDEX hold_by_buyer ON hold (event_id, user_id);

-- One row per seat that was ever sold; void once its hold is released.
CREATE TABLE ticket (
    code uuid PRIMARY KEY,
    booking_id uuid NOT NULL,
    ticket_type_id uuid NOT NULL,
    place integer NOT NULL
);

CREATE INDEX ticket_by_booking ON ticket (booking_id, place);
