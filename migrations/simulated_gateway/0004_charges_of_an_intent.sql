-- no-transaction
-- The charges of an intent: for its page, and for who asks what became of it.
CREATE INDEX CONCURRENTLY charge_intent ON charge (intent);
