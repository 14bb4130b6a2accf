INSERT INTO ticket (code, booking_id, ticket_type_id, place, used_at, used_by, gate, check_in_id, event_id, door_version)
VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000003', 2, now(),
    gen_random_uuid(), 'North', gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 7);
