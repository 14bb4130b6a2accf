-- How many seats of the event one buyer may have, held and sold together; NULL: any number.
ALTER TABLE event ADD COLUMN max_per_buyer integer;
