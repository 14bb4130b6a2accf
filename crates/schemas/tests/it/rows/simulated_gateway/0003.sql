INSERT INTO webhook (intent) VALUES ('00000000-0000-7000-8000-000000000001');
INSERT INTO refund (key, intent, amount, currency, at, due_at)
VALUES ('refund/2', '00000000-0000-7000-8000-000000000001', 750000, 'IDR', now(), now());
