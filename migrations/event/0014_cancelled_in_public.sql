-- Of a cancelled event: whether it was published then. A draft that is cancelled stays its organiser's alone.
-- NULL: cancelled by a release that did not know; it is shown if it was ever booked.
ALTER TABLE event ADD COLUMN cancelled_in_public boolean;
