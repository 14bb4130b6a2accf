-- no-transaction
-- An event's bookings that are not on their way out. What it is made of changes with no other step of a booking.
CREATE INDEX CONCURRENTLY booking_at_event ON booking (event_id, id) WHERE NOT gone;
