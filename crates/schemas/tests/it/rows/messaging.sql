INSERT INTO outbox (topic, key, kind, correlation, attempt, trace, body)
VALUES ('karcis.bookings.v1', gen_random_uuid(), 'BookingCreated.v1', gen_random_uuid(), 2,
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '{}');
INSERT INTO dead_letter (topic, "partition", "offset", key, kind, headers, body, error)
VALUES ('karcis.payments.v1', 3, 17, NULL, NULL, '{}', 'not JSON', 'the body is not JSON');
