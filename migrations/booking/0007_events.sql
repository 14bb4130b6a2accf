-- What is true of each event now, as karcis.events.v1 says: bookings are shown with it, and their holders are
-- told what has changed.
CREATE TABLE event (
    event_id uuid PRIMARY KEY,
    -- rises with each edit; 0 if nothing but a cancellation is known
    version bigint NOT NULL,
    title text,
    venue text,
    starts_at timestamptz,
    time_zone text,
    refundable_until timestamptz,
    -- the version since which title, venue, start and time zone are these
    shown_version bigint NOT NULL,
    cancel_reason text,
    -- since when holders may not know these, until each has been told
    moved_at timestamptz NOT NULL,
    open boolean NOT NULL,
    CONSTRAINT event_details CHECK (version = 0 OR
        title IS NOT NULL AND venue IS NOT NULL AND starts_at IS NOT NULL AND time_zone IS NOT NULL)
);

CREATE INDEX event_open ON event (moved_at) WHERE open;

-- The version of the event that the booking's holder knows. A release that does not know the column leaves it.
ALTER TABLE booking ADD COLUMN event_version bigint NOT NULL DEFAULT 1;
