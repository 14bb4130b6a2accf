-- A new signing key is published first and signs later, so that every service knows it before it
-- meets the first token. Keys of a release that does not write this column sign at once, as before.
ALTER TABLE signing_key ADD COLUMN signs_from timestamptz NOT NULL DEFAULT now();
