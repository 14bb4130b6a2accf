-- Whether the account's owner was welcomed: once, when the address is first verified. Who registered before this
-- release needs no welcome any more.
ALTER TABLE account ADD COLUMN welcomed boolean NOT NULL DEFAULT true;
ALTER TABLE account ALTER COLUMN welcomed SET DEFAULT false;

-- Exception: the new constraint takes all that the old one took. NOT VALID, as the rows that are there fit the
-- old one: nobody has to wait until all are read.
ALTER TABLE account_mail
    DROP CONSTRAINT account_mail_kind_known,
    ADD CONSTRAINT account_mail_kind_known
        CHECK (kind IN ('verify_email', 'reset_password', 'address_changed', 'welcome')) NOT VALID;
