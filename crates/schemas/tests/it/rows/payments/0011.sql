INSERT INTO intent_reference (booking_id, reference)
VALUES ('00000000-0000-7000-8000-000000000001', 'pi_1'), (gen_random_uuid(), NULL);
