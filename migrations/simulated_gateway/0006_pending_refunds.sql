-- no-transaction
-- The refunds that are pending.
CREATE INDEX CONCURRENTLY refund_pending ON refund (due_at) WHERE due_at IS NOT NULL;
