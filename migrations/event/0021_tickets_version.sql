-- The event's stock version when the hold's tickets were made or, once it is released, became void: doors read what
-- changed since a version. 0: it has no tickets, or a release wrote it that did not know; those come first.
ALTER TABLE hold ADD COLUMN tickets_version bigint NOT NULL DEFAULT 0;
