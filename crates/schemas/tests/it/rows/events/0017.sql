INSERT INTO idempotency_key (user_id, key, fingerprint, event_id, created_at)
VALUES (gen_random_uuid(), 'once', sha256('request'), gen_random_uuid(), now());
