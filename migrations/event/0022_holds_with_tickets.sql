-- no-transaction
-- The tickets of an event in the order in which they were sold or became void.
CREATE INDEX CONCURRENTLY hold_with_tickets ON hold (event_id, tickets_version, booking_id)
    WHERE state = 'sold' OR tickets_version > 0;
