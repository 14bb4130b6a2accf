INSERT INTO audit (audit_id, actor_id, action, subject_id, detail, reason)
VALUES ('00000000-0000-7000-8000-0000000000a1', gen_random_uuid(), 'give_role', gen_random_uuid(),
    'buyer to organiser', 'sells tickets');
