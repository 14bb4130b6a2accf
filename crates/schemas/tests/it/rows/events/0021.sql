INSERT INTO hold (booking_id, event_id, user_id, state, reason, reservation, created_at, changed_at, tickets_version)
VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000001', gen_random_uuid(), 'sold', NULL, '{}', now(),
    now(), 5);
