-- no-transaction
-- `booking_of_event_version` begins with the same column and has the same rows, so each change of a booking
-- writes one index for its event, not two.
-- Exception: an index, which no statement of any release names.
DROP INDEX CONCURRENTLY booking_of_event;
