-- no-transaction
-- Every change of a booking wrote it. A release before has to look at all rows instead.
-- Exception: an index, which no statement of any release names.
DROP INDEX CONCURRENTLY booking_alarm;
