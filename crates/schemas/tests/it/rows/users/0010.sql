UPDATE account SET verified_email = email;
INSERT INTO account_mail (email, kind, user_id, noted_at, try_at)
VALUES ('dewi@mail.example', 'reset_password', NULL, now(), now());
INSERT INTO mailed_token (token_hash, user_id, kind, email, expires_at)
VALUES (sha256('mailed'), '00000000-0000-7000-8000-000000000001', 'verify_email', 'sari@mail.example', now());
INSERT INTO mail_count (address, mails, granted, ends_at)
VALUES (sha256('dewi@mail.example'), 3, 1, now());
