-- Who opened the door with a ticket, at which gate, and by which request of a door: the same request again is
-- answered as before. `event_id` and `door_version` are of its last check-in or undoing: the event, and its stock
-- version then. NULL: there was none.
ALTER TABLE ticket
    ADD COLUMN used_by uuid,
    ADD COLUMN gate text,
    ADD COLUMN check_in_id uuid,
    ADD COLUMN event_id uuid,
    ADD COLUMN door_version bigint;

-- How many of its tickets have opened the door.
ALTER TABLE ticket_type ADD COLUMN used integer NOT NULL DEFAULT 0;
