INSERT INTO ticket (code, booking_id, ticket_type_id, place, used_at)
VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000004',
    '00000000-0000-7000-8000-000000000003', 1, now());
