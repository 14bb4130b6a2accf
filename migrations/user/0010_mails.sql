-- The address that the account's owner has proven to read. It is compared with `email`: an older release,
-- which writes only that, leaves no address verified that nobody has proven to read.
ALTER TABLE account ADD COLUMN verified_email text;

-- E-mails about accounts that wait to be sent, each once for an address; a sent one is deleted. Those that
-- anybody can ask for name no account: whether the address has one is looked up when the e-mail is sent, so that
-- asking for a new password does the same work whether or not there is one.
CREATE TABLE account_mail (
    email text NOT NULL,
    kind text NOT NULL,
    user_id uuid,
    was_verified boolean NOT NULL DEFAULT false,
    noted_at timestamptz NOT NULL,
    try_at timestamptz NOT NULL,
    CONSTRAINT account_mail_once PRIMARY KEY (email, kind),
    CONSTRAINT account_mail_account FOREIGN KEY (user_id) REFERENCES account ON DELETE CASCADE,
    CONSTRAINT account_mail_kind_known
        CHECK (kind IN ('verify_email', 'reset_password', 'address_changed'))
);

CREATE INDEX account_mail_due ON account_mail (try_at);
CREATE INDEX account_mail_by_user ON account_mail (user_id);

-- The tokens that e-mails bring, as SHA-256. One is good while its account has the address that it was sent
-- to.
CREATE TABLE mailed_token (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    email text NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT mailed_token_account FOREIGN KEY (user_id) REFERENCES account ON DELETE CASCADE,
    CONSTRAINT mailed_token_kind_known CHECK (kind IN ('verify_email', 'reset_password')),
    CONSTRAINT mailed_token_hash_sha256 CHECK (octet_length(token_hash) = 32)
);

CREATE INDEX mailed_token_by_user ON mailed_token (user_id);
CREATE INDEX mailed_token_by_expiry ON mailed_token (expires_at);

-- How many e-mails an address (as SHA-256) got on the day that ends at ends_at, where they are limited, and
-- how many of them the last look at it granted.
CREATE TABLE mail_count (
    address bytea PRIMARY KEY,
    mails integer NOT NULL,
    granted integer NOT NULL,
    ends_at timestamptz NOT NULL,
    CONSTRAINT mail_count_sha256 CHECK (octet_length(address) = 32)
);

CREATE INDEX mail_count_by_end ON mail_count (ends_at);
