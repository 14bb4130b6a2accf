INSERT INTO payment (booking_id, payment_id, user_id, amount, currency, pay_by, status, captured,
    refunded, version, refund_refusal)
VALUES ('00000000-0000-7000-8000-000000000002', gen_random_uuid(), gen_random_uuid(), 750000, 'IDR',
    now(), 'refunding', 750000, 0, 6, 'account_closed');
INSERT INTO attempt (booking_id, id, at, method, action, action_value, action_expires_at)
VALUES ('00000000-0000-7000-8000-000000000002', gen_random_uuid(), now(), 'tok_action_required',
    'redirect', 'https://bank.example/approve', now());
