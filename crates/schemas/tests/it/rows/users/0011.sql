INSERT INTO notice (booking_id, kind, user_id, event_id, content, noted_at, try_at)
VALUES (gen_random_uuid(), 'reserved', '00000000-0000-7000-8000-000000000001', gen_random_uuid(),
        '{"pay_by": "2026-03-01T12:15:00Z"}', now(), now()),
    (gen_random_uuid(), 'event_changed.7', '00000000-0000-7000-8000-000000000001', gen_random_uuid(),
        '{}', now(), now());
