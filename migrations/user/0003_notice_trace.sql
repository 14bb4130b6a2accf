-- The trace context that a notice follows from, as a traceparent header.
ALTER TABLE notice ADD COLUMN trace text;
