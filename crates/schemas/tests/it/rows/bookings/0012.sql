INSERT INTO booking_names (event_id, booking_id, buyer_name, attendees)
VALUES (gen_random_uuid(), gen_random_uuid(), 'Sari', '[]');
INSERT INTO erased_buyer (user_id, erased_at) VALUES (gen_random_uuid(), now());
