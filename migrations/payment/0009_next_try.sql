-- no-transaction
-- The payments that need the provider, those that are due first.
CREATE INDEX CONCURRENTLY payment_next_try ON payment (next_try)
    WHERE status IN ('processing', 'refunding') OR look_up;
