-- no-transaction
-- The tickets of an event in the order in which doors let them in. What no door has seen is not in it.
CREATE INDEX CONCURRENTLY ticket_at_door ON ticket (event_id, door_version) WHERE door_version IS NOT NULL;
