INSERT INTO payment (booking_id, payment_id, user_id, amount, currency, pay_by, status, version,
    next_try, tries, asking_until, look_up)
VALUES ('00000000-0000-7000-8000-000000000003', gen_random_uuid(), gen_random_uuid(), 750000, 'IDR',
    now(), 'open', 3, now(), 4, now(), true);
