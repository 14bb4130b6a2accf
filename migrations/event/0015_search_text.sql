-- What a search looks through: title, venue and description without case and accents. Only marks that are
-- accents go: other scripts have marks that are letters. The last line has letters that are not made of
-- another and an accent. The database writes the column, so that it is right whatever release writes the event.
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN octet_length($1) = length($1) THEN lower($1) ELSE
normalize(translate(replace(replace(replace(replace(lower(regexp_replace(
    normalize($1, NFKD),
    '[\u0300-\u036F\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u064B-\u065F\u0670\u1DC0-\u1DFF]',
    '', 'g'
)), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'øłđðħŧıς’‘ʼ', 'olddhtiσ'''''''), NFC) END;

-- This rewrites the table, while its readers and writers wait: about ten seconds for 100,000 events.
ALTER TABLE event ADD COLUMN search_text text GENERATED ALWAYS AS (
    folded(title || ' ' || venue || ' ' || COALESCE(description, ''))
) STORED;
