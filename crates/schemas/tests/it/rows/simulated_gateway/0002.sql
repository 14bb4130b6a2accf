INSERT INTO charge (key, intent, amount, currency, method, asked_at, due_at, approved)
VALUES ('fourth', '00000000-0000-7000-8000-000000000004', 750000, 'IDR', 'tok_action_required', now(),
    now(), false);
