INSERT INTO payment (booking_id, payment_id, user_id, amount, currency, pay_by, status,
    cancel_wanted, decline_code, captured, refunded, version)
VALUES ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), gen_random_uuid(), 1500000,
        'IDR', now(), 'processing', true, NULL, 0, 0, 3),
    (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 750000, 'IDR', now(), 'refunding',
        false, NULL, 750000, 0, 5),
    (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 750000, 'IDR', now(), 'failed', false,
        'stolen_card', 0, 0, 4),
    (gen_random_uuid(), gen_random_uuid(), NULL, NULL, NULL, NULL, 'cancelled', false, NULL, 0, 0, 1);
INSERT INTO attempt (booking_id, id, at, method, outcome, decline_kind, decline_code)
VALUES ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), now(), 'tok_slow', NULL, NULL,
        NULL),
    ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), now(), 'tok_insufficient_funds',
        'declined', 'soft', 'insufficient_funds');
INSERT INTO idempotency_key (user_id, key, fingerprint, attempt_id, answered_processing, used_at)
VALUES (gen_random_uuid(), 'once', sha256('request'), gen_random_uuid(), true, now());
