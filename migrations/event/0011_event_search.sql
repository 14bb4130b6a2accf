-- Text anywhere in a title, a venue or a description, in upper or lower case. Written at once, so that
-- no search has to read a list of what is not sorted in yet: events are edited rarely.
CREATE INDEX event_search ON event
    USING gin (title gin_trgm_ops, venue gin_trgm_ops, description gin_trgm_ops)
    WITH (fastupdate = off);
