-- Whether the organiser has said that tickets may be given back after the event has started.
ALTER TABLE event ADD COLUMN refundable_after_start boolean NOT NULL DEFAULT false;
