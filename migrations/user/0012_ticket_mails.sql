-- Buyers who ask for their tickets again get them: tickets_again.<when they asked, in µs>. What is stored of an
-- e-mail with tickets has their codes, until it is sent.
-- Exception: the new constraint takes all that the old one took. NOT VALID, as the rows that are there fit the
-- old one: nobody has to wait until all are read.
ALTER TABLE notice
    DROP CONSTRAINT notice_kind_known,
    ADD CONSTRAINT notice_kind_known CHECK (
        kind IN ('created', 'reserved', 'confirmed', 'rejected', 'cancelled')
        OR kind ~ '^(event_changed|tickets_again)\.[0-9]+$'
    ) NOT VALID;
