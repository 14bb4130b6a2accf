-- no-transaction
-- Words anywhere in a title, a venue or a description. Written at once, as `event_search` is.
CREATE INDEX CONCURRENTLY event_words ON event USING gin (search_text gin_trgm_ops) WITH (fastupdate = off);
