INSERT INTO event (event_id, version, organiser_id, stage, title, venue, starts_at, time_zone, currency,
    max_per_buyer)
VALUES (gen_random_uuid(), 1, gen_random_uuid(), 'published', 'Gamelan Day', 'Keraton, Yogyakarta',
    now(), 'Asia/Jakarta', 'IDR', 4);
