ALTER TABLE payment
    -- Why the provider gave no definite answer, when it was asked last, about money that is to go back.
    ADD COLUMN unanswered text,
    -- How often an operator had it asked again for what it had refused: the idempotency key is made of it.
    ADD COLUMN asked_again integer NOT NULL DEFAULT 0;
