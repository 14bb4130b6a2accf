-- Before when no further password of a subject is checked. Guesses are counted per account and network
-- address together ("pair:"), per account, per network address ("peer:") and per session.
ALTER TABLE failed_login ADD COLUMN not_before timestamptz;

-- From where people logged in before: SHA-256 of the account's id and the network address. Guesses of
-- others do not delay a log-in from there. At most 20 for each account, forgotten after 90 days.
CREATE TABLE known_peer (
    user_id uuid NOT NULL,
    peer bytea NOT NULL,
    last_used_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT known_peer_once PRIMARY KEY (user_id, peer),
    CONSTRAINT known_peer_account FOREIGN KEY (user_id) REFERENCES account ON DELETE CASCADE,
    CONSTRAINT known_peer_sha256 CHECK (octet_length(peer) = 32)
);

CREATE INDEX known_peer_by_use ON known_peer (last_used_at);
