-- People see their sessions, and a session ends at an age that depends on the role, however often it is
-- refreshed. Sessions that are there begin to age now.
ALTER TABLE session ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE session ADD COLUMN last_used_at timestamptz;
ALTER TABLE session ADD COLUMN user_agent text;

-- The hash of the token that this one replaced. A client that missed the answer may present that token
-- again while this one is unused.
ALTER TABLE refresh_token ADD COLUMN predecessor bytea;

-- A disabled account cannot be logged in to.
ALTER TABLE account ADD COLUMN disabled_at timestamptz;
