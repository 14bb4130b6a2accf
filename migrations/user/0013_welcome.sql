-- Whether the account's owner was welcomed: once, when the address is first verified. Who registered before this
-- release needs no welcome any more.
ALTER TABLE account ADD COLUMN welcomed boolean NOT NULL DEFAULT true;
ALTER TABLE account ALTER COLUMN welcomed SET DEFAULT false;

ALTER TABLE account_mail DROP CONSTRAINT account_mail_kind_known;
ALTER TABLE account_mail ADD CONSTRAINT account_mail_kind_known
    CHECK (kind IN ('verify_email', 'reset_password', 'address_changed', 'welcome'));
