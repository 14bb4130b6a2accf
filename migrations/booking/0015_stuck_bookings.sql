-- no-transaction
-- As `booking_stuck`, without a column that every change of a booking changes.
CREATE INDEX CONCURRENTLY booking_that_is_stuck ON booking (id) WHERE stuck IS NOT NULL;
