INSERT INTO event (event_id, version, organiser_id, stage, cancel_reason, title, venue, description,
    starts_at, time_zone, refundable_until, refundable_after_start, currency, cancelled_in_public)
VALUES (gen_random_uuid(), 2, gen_random_uuid(), 'cancelled', 'no permit', 'Café Tacvba',
    'Teatro Güemes, Córdoba', 'Đêm nhạc', now(), 'America/Argentina/Cordoba', now() + interval '1 day',
    true, 'USD', false);
