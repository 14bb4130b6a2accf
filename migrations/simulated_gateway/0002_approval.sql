-- Whether the buyer has done what the provider waits for; null where it waits for nothing. A charge
-- that is not approved when it is due is declined.
ALTER TABLE charge ADD COLUMN approved boolean;
