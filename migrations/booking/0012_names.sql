-- What buyers and those who come with them are called. It is nowhere else here: when a buyer is erased, the
-- buyer's rows are deleted. The key begins with the event, by which organisers read them.
CREATE TABLE booking_names (
    event_id uuid NOT NULL,
    booking_id uuid NOT NULL,
    buyer_name text,
    attendees json NOT NULL,
    CONSTRAINT booking_names_once PRIMARY KEY (event_id, booking_id)
);

-- Buyers who were erased within the last hour: a token that they still have may name them again.
CREATE TABLE erased_buyer (
    user_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

-- Whose event it is: its organiser may read the names. NULL if an older release recorded it.
ALTER TABLE event ADD COLUMN organiser_id uuid;

-- When it ends, for calendars; NULL if that is not known.
ALTER TABLE event ADD COLUMN ends_at timestamptz;
