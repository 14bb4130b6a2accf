INSERT INTO difference (difference_id, kind, subject_id, detail, asked_at)
VALUES (gen_random_uuid(), 'stock', gen_random_uuid(), '2 held, but its holds have 3', now());
INSERT INTO reconciler (kind, after_id, next_at)
VALUES ('stock', gen_random_uuid(), now());
