INSERT INTO parked_message (id, topic, key, kind, correlation, attempt, trace, body, created_at, error)
VALUES (gen_random_uuid(), 'karcis.bookings.v1', gen_random_uuid(), 'BookingCreated.v1',
    gen_random_uuid(), 2, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '{}', now(),
    'Message production error: MessageSizeTooLarge');
