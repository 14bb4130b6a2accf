-- Until when an instance has a due booking to itself, so that two instances do not fire its timer both.
-- A release that does not know the column fires without a claim, as before.
ALTER TABLE booking ADD COLUMN claimed_until timestamptz;
