-- When the provider is asked next about a payment that needs it, how often it was asked without an
-- outcome, and until when somebody is asking. What an older release writes is due at once.
ALTER TABLE payment
    ADD COLUMN next_try timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN tries integer NOT NULL DEFAULT 0,
    ADD COLUMN asking_until timestamptz NOT NULL DEFAULT '-infinity',
    -- Whether a webhook came: the provider is asked about attempts that have ended, too.
    ADD COLUMN look_up boolean NOT NULL DEFAULT false;
