-- Why the provider refuses a refund: it waits for an operator. Said only while it is 'refunding'.
ALTER TABLE payment ADD COLUMN refund_refusal text;

-- Why the provider refuses to give back what came too late or twice. Said only while it is
-- 'returning'.
ALTER TABLE attempt ADD COLUMN reversal_refusal text;

-- What the buyer has to do: open the page, transfer to the account or scan the code that
-- action_value names. Said only while the attempt has no outcome.
ALTER TABLE attempt
    ADD COLUMN action text,
    ADD COLUMN action_value text,
    ADD COLUMN action_expires_at timestamptz;

-- Exception: it forbids nothing that an older release does, as the columns are new.
ALTER TABLE attempt ADD CONSTRAINT attempt_action CHECK (
    num_nonnulls(action, action_value, action_expires_at) IN (0, 3)
    AND action IN ('redirect', 'virtual_account', 'qr'));
