-- no-transaction
-- An event's bookings that are not on their way out, those first whose holders know the oldest version of it.
CREATE INDEX CONCURRENTLY booking_of_event_version ON booking (event_id, event_version)
    WHERE stage IN ('reserving', 'awaiting', 'cancelling', 'confirming', 'confirmed');
