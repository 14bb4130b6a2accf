-- When each booking that is under way is looked at next, apart from the booking itself: a change of one writes no
-- index then. A timer is due at the booking's `due_at` or `wake_at` or earlier, never later; a claim moves it on; that
-- of a booking that has ended goes when it is due.
CREATE TABLE timer (
    booking_id uuid PRIMARY KEY,
    at timestamptz NOT NULL
);
CREATE INDEX timer_by_time ON timer (at);

-- By triggers, so that a booking of a release that knows no timers has one too.
CREATE FUNCTION set_timers() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
    INSERT INTO timer SELECT id, LEAST(due_at, wake_at) FROM stored WHERE wake_at IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER set_timers AFTER INSERT ON booking REFERENCING NEW TABLE AS stored
    FOR EACH STATEMENT EXECUTE FUNCTION set_timers();

CREATE FUNCTION set_timer_earlier() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
    INSERT INTO timer AS known VALUES (NEW.id, LEAST(NEW.due_at, NEW.wake_at))
    ON CONFLICT (booking_id) DO UPDATE SET at = EXCLUDED.at WHERE known.at > EXCLUDED.at;
    RETURN NULL;
END $$;
-- The timer of a booking that was due has been claimed: it is too late for what comes next.
CREATE TRIGGER set_timer_earlier AFTER UPDATE ON booking FOR EACH ROW
    WHEN (NEW.wake_at IS NOT NULL AND (OLD.wake_at IS NULL OR NEW.attempt > OLD.attempt
        OR LEAST(OLD.due_at, OLD.wake_at) <= NEW.updated_at
        OR LEAST(NEW.due_at, NEW.wake_at) < LEAST(OLD.due_at, OLD.wake_at)))
    EXECUTE FUNCTION set_timer_earlier();

INSERT INTO timer SELECT id, LEAST(due_at, wake_at) FROM booking WHERE wake_at IS NOT NULL;

-- Whether the booking is on its way out, or was when an older release last changed it: then its stage says so.
ALTER TABLE booking ADD COLUMN gone boolean NOT NULL DEFAULT false;

-- Room for a booking's later states beside its first.
ALTER TABLE booking SET (fillfactor = 50);
