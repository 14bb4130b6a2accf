-- Roles and schemas of Karcis in the current database. Run as a superuser, or as the database's
-- owner with CREATEROLE; repeatable. `karcis migrate` runs it, with these settings:
--     karcis.schemas               only these schemas, separated by commas
--     karcis.password_of_<schema>  its role's password, also of a role that is there; a role that is
--                                  missing must have one
--     lock_timeout                 2s: others queue behind a lock that it waits for
-- Each schema has two roles. <role>_owner cannot log in: `karcis migrate` makes and changes the tables
-- as this role. The service logs in as <role>, which reads and writes rows and changes no table.
DO $$
DECLARE
    wanted text[] := string_to_array(nullif(current_setting('karcis.schemas', true), ''), ',');
    is_superuser bool := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
    part record;
    owner text;
    password text;
BEGIN
    -- Another session that sets up this database waits; roles are the whole server's.
    PERFORM pg_advisory_xact_lock(hashtextextended('karcis setup', 0));
    IF is_superuser THEN
        LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE;
    END IF;

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
        owner := part.role || '_owner';
        password := nullif(current_setting('karcis.password_of_' || part.schema, true), '');
        IF password IS NULL AND to_regrole(part.role) IS NULL THEN
            RAISE EXCEPTION 'role % is not there and has no password: set karcis.password_of_%',
                part.role, part.schema;
        END IF;
        BEGIN
            IF to_regrole(owner) IS NULL THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', owner);
                IF NOT is_superuser THEN
                    -- Only a member may give it a schema, and migrate as it.
                    EXECUTE format('GRANT %I TO CURRENT_USER', owner);
                END IF;
            END IF;
            IF to_regrole(part.role) IS NULL THEN
                EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', part.role, password);
                EXECUTE format('ALTER ROLE %I SET search_path = %I', part.role, part.schema);
                EXECUTE format('ALTER ROLE %I SET lock_timeout = ''5s''', part.role);
                EXECUTE format(
                    'ALTER ROLE %I SET idle_in_transaction_session_timeout = ''10s''', part.role
                );
                IF NOT is_superuser THEN
                    EXECUTE format('GRANT %I TO CURRENT_USER', part.role);
                END IF;
            ELSIF password IS NOT NULL THEN
                EXECUTE format('ALTER ROLE %I PASSWORD %L', part.role, password);
            END IF;
            -- Once: what somebody has chosen since then stays.
            IF EXISTS (
                SELECT FROM pg_roles WHERE rolname = part.role
                    AND coalesce(rolconfig::text, '') NOT LIKE '%statement_timeout=%'
            ) THEN
                EXECUTE format('ALTER ROLE %I SET statement_timeout = ''30s''', part.role);
                EXECUTE format('ALTER ROLE %I CONNECTION LIMIT 100', part.role);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            -- It was just created from another database.
            NULL;
        END;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), part.role);
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', part.schema, owner);
        IF part.schema = 'events' THEN
            -- For the search of events. Neither the owner nor the service's role may make it.
            CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA events;
        END IF;

        -- Older releases gave the schema to the service's role.
        IF EXISTS (
            SELECT FROM pg_namespace
            WHERE nspname = part.schema AND nspowner = to_regrole(part.role)::oid
        ) THEN
            EXECUTE format('REASSIGN OWNED BY %I TO %I', part.role, owner);
            EXECUTE format(
                'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I',
                part.schema, part.role
            );
            EXECUTE format(
                'GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', part.schema, part.role
            );
        END IF;
        IF NOT has_schema_privilege(part.role, part.schema, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', part.schema, part.role);
            EXECUTE format(
                'ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I '
                'GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I',
                owner, part.schema, part.role
            );
            EXECUTE format(
                'ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT USAGE ON SEQUENCES TO %I',
                owner, part.schema, part.role
            );
        END IF;
    END LOOP;

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
END
$$;
