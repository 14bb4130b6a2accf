-- no-transaction
-- The charges that have no answer yet, those that are due first.
CREATE INDEX CONCURRENTLY charge_open ON charge (due_at) WHERE answer IS NULL;
