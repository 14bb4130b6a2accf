-- no-transaction
-- Operators see what came of the attempts of late. Attempts are added in the order of their times, so that this
-- index costs a payment next to nothing.
CREATE INDEX CONCURRENTLY attempt_by_age ON attempt USING brin (at) WITH (autosummarize);
