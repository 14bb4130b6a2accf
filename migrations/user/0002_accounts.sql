-- A person with an account. The e-mail address is stored trimmed and in lower case, so that it is
-- unique whatever the case somebody types it in.
CREATE TABLE account (
    user_id uuid PRIMARY KEY,
    email text NOT NULL,
    password_hash text NOT NULL,
    name text NOT NULL,
    phone text,
    locale text,
    time_zone text,
    role text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT account_email_once UNIQUE (email),
    CONSTRAINT account_role_known
        CHECK (role IN ('buyer', 'organiser', 'admin', 'operator', 'door')),
    CONSTRAINT account_version_positive CHECK (version > 0)
);

-- One log-in and all the refresh tokens that followed from it. Ending it deletes it, and with it
-- its tokens.
CREATE TABLE session (
    session_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT session_account FOREIGN KEY (user_id) REFERENCES account ON DELETE CASCADE
);

CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- The refresh tokens of a session, as SHA-256. One is fresh; those used before stay, so that
-- using one again can be told from nonsense.
CREATE TABLE refresh_token (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT refresh_token_session
        FOREIGN KEY (session_id) REFERENCES session ON DELETE CASCADE,
    CONSTRAINT refresh_token_hash_sha256 CHECK (octet_length(token_hash) = 32)
);

CREATE INDEX refresh_token_by_session ON refresh_token (session_id);
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at);

-- The Ed25519 keys that access tokens are signed with. The newest signs, all are published, so a
-- key is changed by inserting another, restarting every instance, and deleting the old one once
-- its last token has expired (15 minutes). The first is made at the first boot.
--
-- private_key: PKCS#8 version 1 in DER (RFC 8410): the 16 bytes
-- 302e020100300506032b657004220420 and the 32 bytes of the seed; what
-- `openssl genpkey -algorithm ED25519 -outform DER` prints. kid: any text without meaning.
CREATE TABLE signing_key (
    kid text PRIMARY KEY,
    private_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT signing_key_pkcs8 CHECK (octet_length(private_key) = 48)
);

-- Failed log-ins of the running quarter of an hour: per account (the SHA-256 of the address that
-- was given, whether or not there is such an account) and per peer (its network address).
CREATE TABLE failed_login (
    subject text PRIMARY KEY,
    failures integer NOT NULL,
    ends_at timestamptz NOT NULL
);

CREATE INDEX failed_login_by_end ON failed_login (ends_at);

-- What buyers are told of their bookings: each turn once. An instance that takes a notice on sets
-- try_at to when another may, should it not get through.
CREATE TABLE notice (
    booking_id uuid NOT NULL,
    kind text NOT NULL,
    user_id uuid NOT NULL,
    event_id uuid NOT NULL,
    reason text,
    noted_at timestamptz NOT NULL,
    try_at timestamptz NOT NULL,
    told_at timestamptz,
    CONSTRAINT notice_once PRIMARY KEY (booking_id, kind),
    CONSTRAINT notice_kind_known CHECK (kind IN ('created', 'confirmed', 'rejected', 'cancelled'))
);

CREATE INDEX notice_due ON notice (try_at) WHERE told_at IS NULL;
CREATE INDEX notice_by_age ON notice (noted_at);
