-- What a notification says of the event, the tickets and the money, as JSON; NULL in rows of older releases.
-- Nothing in it names the buyer.
ALTER TABLE notice ADD COLUMN content json;

-- Buyers are also notified that their tickets are held, and of each version of an event that is not as they
-- booked it (event_changed.<version>).
-- Exception: the new constraint takes all that the old one took. NOT VALID, as the rows that are there fit the
-- old one: nobody has to wait until all are read.
ALTER TABLE notice
    DROP CONSTRAINT notice_kind_known,
    ADD CONSTRAINT notice_kind_known CHECK (
        kind IN ('created', 'reserved', 'confirmed', 'rejected', 'cancelled')
        OR kind ~ '^event_changed\.[0-9]+$'
    ) NOT VALID;
