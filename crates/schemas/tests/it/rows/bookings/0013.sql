INSERT INTO timer (booking_id, at) VALUES (gen_random_uuid(), now());
