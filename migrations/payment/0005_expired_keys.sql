-- Expired keys are deleted every few seconds: idempotency_key_used_at, a BRIN index, matches the
-- whole table once its space is used again.
CREATE INDEX idempotency_key_expiry ON idempotency_key (used_at);
