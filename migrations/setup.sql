-- Roles and schemas of Karcis in the current database. Run as a superuser, or as the database's
-- owner with CREATEROLE; repeatable:
--     psql "$URL" -f setup.sql
-- Settings that change it, as `karcis migrate` does:
--     karcis.schemas               only these schemas, separated by commas
--     karcis.password_of_<schema>  its role's password, also of a role that is there
-- A role that is created without one gets its own name as password. Where others can reach the
-- server, change it: ALTER ROLE karcis_user PASSWORD '…'.
DO $$
DECLARE
    wanted text[] := string_to_array(nullif(current_setting('karcis.schemas', true), ''), ',');
    is_superuser bool := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
    part record;
    password text;
BEGIN
    -- Another session that sets up this database waits.
    PERFORM pg_advisory_xact_lock(hashtextextended('karcis setup', 0));

    FOR part IN
        SELECT * FROM (VALUES
            ('karcis_user', 'users'),
            ('karcis_event', 'events'),
            ('karcis_booking', 'bookings'),
            ('karcis_payment', 'payments'),
            ('karcis_simulated_gateway', 'simulated_gateway')
        ) AS parts (role, schema)
        WHERE wanted IS NULL OR schema = ANY (wanted)
    LOOP
        password := nullif(current_setting('karcis.password_of_' || part.schema, true), '');
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = part.role) THEN
                EXECUTE format(
                    'CREATE ROLE %I LOGIN PASSWORD %L', part.role, coalesce(password, part.role)
                );
                EXECUTE format('ALTER ROLE %I SET search_path = %I', part.role, part.schema);
                EXECUTE format('ALTER ROLE %I SET lock_timeout = ''5s''', part.role);
                EXECUTE format(
                    'ALTER ROLE %I SET idle_in_transaction_session_timeout = ''10s''', part.role
                );
                IF NOT is_superuser THEN
                    -- Only a member may give it a schema, and migrate as it.
                    EXECUTE format('GRANT %I TO CURRENT_USER', part.role);
                END IF;
            ELSIF password IS NOT NULL THEN
                EXECUTE format('ALTER ROLE %I PASSWORD %L', part.role, password);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            -- Roles are the whole server's: it was just created from another database.
            NULL;
        END;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), part.role);
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', part.schema, part.role);
        IF part.schema = 'events' THEN
            -- For the search of events. A service's role may not make it.
            CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA events;
        END IF;
    END LOOP;

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
END
$$;
