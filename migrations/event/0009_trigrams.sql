-- Texts are searched by their trigrams. setup.sql has made the extension, because a service's role may
-- not; where a superuser migrates without it, it is made here.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    IF NOT EXISTS (
        SELECT FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid)
    ) THEN
        RAISE EXCEPTION 'the extension pg_trgm is in a schema that this role does not see'
            USING HINT = 'ALTER EXTENSION pg_trgm SET SCHEMA events';
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the extension pg_trgm is missing'
        USING HINT = 'run karcis migrate, or migrations/setup.sql once more';
END
$$;
