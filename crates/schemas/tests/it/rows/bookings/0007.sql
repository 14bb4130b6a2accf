INSERT INTO event (event_id, version, title, venue, starts_at, time_zone, refundable_until,
    shown_version, cancel_reason, moved_at, open)
VALUES (gen_random_uuid(), 3, 'Angklung Night', 'Saung Udjo, Bandung', now(), 'Asia/Jakarta', now(), 2,
        NULL, now(), true),
    (gen_random_uuid(), 0, NULL, NULL, NULL, NULL, NULL, 0, 'no permit', now(), false);
INSERT INTO booking (id, user_id, event_id, items, expected_amount, expected_currency, created_at,
    pay_by, version, stage, reason, payable, released, refunded, offer, tickets, attempt, wake_at,
    due_at, stuck, updated_at, event_version)
VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '[]', NULL, NULL, now(), now(), 5,
    'confirmed', NULL, false, false, false, '{}', '[]', 0, NULL, NULL, NULL, now(), 3);
