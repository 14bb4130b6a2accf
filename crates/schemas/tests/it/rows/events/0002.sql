INSERT INTO event (event_id, version, organiser_id, stage, cancel_reason, title, venue, starts_at,
    time_zone, currency, announce_at, announced)
VALUES ('00000000-0000-7000-8000-000000000001', 2, gen_random_uuid(), 'published', NULL,
        'Angklung Night', 'Saung Udjo, Bandung', now(), 'Asia/Jakarta', 'IDR', NULL, 0),
    ('00000000-0000-7000-8000-000000000002', 3, gen_random_uuid(), 'cancelled', 'rain',
        'Open Air', 'Kebun Raya, Bogor', now(), 'Asia/Jakarta', 'IDR', now(), 4);
INSERT INTO ticket_type (ticket_type_id, event_id, place, name, price, capacity, held, sold,
    max_per_booking)
VALUES ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000001', 0, 'VIP',
    750000, 100, 1, 2, 10);
INSERT INTO hold (booking_id, event_id, user_id, state, reason, reservation, created_at, changed_at)
VALUES ('00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000001',
        gen_random_uuid(), 'sold', NULL, '{}', now(), now()),
    (gen_random_uuid(), '00000000-0000-7000-8000-000000000001', gen_random_uuid(), 'held', NULL,
        '{}', now(), now()),
    (gen_random_uuid(), gen_random_uuid(), NULL, 'released', NULL, NULL, now(), now()),
    (gen_random_uuid(), gen_random_uuid(), NULL, 'rejected', 'sold_out', NULL, now(), now());
INSERT INTO ticket (code, booking_id, ticket_type_id, place)
VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000004',
    '00000000-0000-7000-8000-000000000003', 0);
