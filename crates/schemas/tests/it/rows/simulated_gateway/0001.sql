INSERT INTO charge (key, intent, amount, currency, method, asked_at, due_at, answer, decline_code)
VALUES ('first', '00000000-0000-7000-8000-000000000001', 750000, 'IDR', 'tok_approved', now(),
        now(), 'captured', NULL),
    ('second', '00000000-0000-7000-8000-000000000002', 750000, 'IDR', 'tok_stolen_card', now(),
        now(), 'declined', 'stolen_card'),
    ('third', '00000000-0000-7000-8000-000000000003', 750000, 'IDR', 'tok_slow', now(), now(), NULL,
        NULL);
INSERT INTO intent (id, fate, charge_key, at)
VALUES ('00000000-0000-7000-8000-000000000001', 'captured', 'first', now()),
    ('00000000-0000-7000-8000-000000000003', 'voided', NULL, now());
INSERT INTO refund (key, intent, amount, currency, at)
VALUES ('refund/1', '00000000-0000-7000-8000-000000000001', 750000, 'IDR', now());
