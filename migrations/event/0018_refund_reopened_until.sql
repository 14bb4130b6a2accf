-- Until when buyers may at least give their tickets back, as the event has moved to another time or place. It is
-- apart from what the organiser sets, so that no later edit closes what was promised. NULL: it has not moved.
ALTER TABLE event ADD COLUMN refund_reopened_until timestamptz;
