INSERT INTO booking (id, user_id, event_id, items, expected_amount, expected_currency, created_at,
    pay_by, version, stage, reason, payable, released, refunded, offer, tickets, attempt, wake_at,
    due_at, stuck, updated_at)
VALUES ('00000000-0000-7000-8000-000000000001', gen_random_uuid(), gen_random_uuid(), '[]', NULL,
        NULL, now(), now(), 1, 'reserving', NULL, false, false, false, NULL, NULL, 1, now(), now(),
        NULL, now()),
    (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '[]', 1500000, 'IDR', now(), now(), 5,
        'confirmed', NULL, true, false, false, '{}', '[]', 0, NULL, NULL, NULL, now()),
    (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '[]', NULL, NULL, now(), now(), 7,
        'refunding', 'buyer', true, true, false, '{}', NULL, 6, now(), NULL, 'no_answer', now());
INSERT INTO saga_log (booking_id, seq, at, input, from_stage, to_stage, sent)
VALUES ('00000000-0000-7000-8000-000000000001', 1, now(), 'Create', NULL, 'reserving',
    'ReserveTickets');
INSERT INTO ticket (code, booking_id)
VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000001');
INSERT INTO idempotency_key (user_id, key, fingerprint, booking_id, created_at)
VALUES (gen_random_uuid(), 'once', sha256('request'), '00000000-0000-7000-8000-000000000001', now());
INSERT INTO cancelled_event (event_id, announced_at, open) VALUES (gen_random_uuid(), now(), true);
