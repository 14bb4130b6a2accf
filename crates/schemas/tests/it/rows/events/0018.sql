INSERT INTO event (event_id, version, organiser_id, stage, title, venue, starts_at, time_zone, refundable_until,
    refund_reopened_until, currency, booked)
VALUES (gen_random_uuid(), 3, gen_random_uuid(), 'published', 'Wayang Night', 'Alun-Alun, Solo',
    now() + interval '30 days', 'Asia/Jakarta', now() + interval '1 day', now() + interval '7 days', 'IDR', true);
