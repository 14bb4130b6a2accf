-- The trace that a transition belongs to: it leads an operator to the log lines of what happened. An older
-- release logs without it.
ALTER TABLE saga_log ADD COLUMN trace_id text;
