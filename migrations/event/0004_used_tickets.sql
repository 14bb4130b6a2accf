-- When the ticket opened the door; NULL: not yet.
ALTER TABLE ticket ADD COLUMN used_at timestamptz;
