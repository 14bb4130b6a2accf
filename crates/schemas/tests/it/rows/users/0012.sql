INSERT INTO notice (booking_id, kind, user_id, event_id, content, noted_at, try_at)
VALUES (gen_random_uuid(), 'tickets_again.1800000000000000', '00000000-0000-7000-8000-000000000001',
    gen_random_uuid(), '{}', now(), now());
