INSERT INTO account (user_id, email, password_hash, name, phone, role, version, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'sari@mail.example', '$argon2id$…', 'Sari', NULL,
    'buyer', 1, now());
INSERT INTO session (session_id, user_id, expires_at)
VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', now());
INSERT INTO refresh_token (token_hash, session_id, expires_at, used_at)
VALUES (sha256('used'), '00000000-0000-7000-8000-000000000002', now(), now()),
    (sha256('fresh'), '00000000-0000-7000-8000-000000000002', now(), NULL);
INSERT INTO signing_key (kid, private_key) VALUES ('first', decode(repeat('00', 48), 'hex'));
INSERT INTO failed_login (subject, failures, ends_at) VALUES ('203.0.113.7', 3, now());
INSERT INTO notice (booking_id, kind, user_id, event_id, reason, noted_at, try_at, told_at)
VALUES (gen_random_uuid(), 'created', '00000000-0000-7000-8000-000000000001', gen_random_uuid(),
        NULL, now(), now(), now()),
    (gen_random_uuid(), 'cancelled', '00000000-0000-7000-8000-000000000001', gen_random_uuid(),
        'deadline', now(), now(), NULL);
