-- A timer goes when its booking ends, not when it is due: to count what is under way would read it until then.
CREATE FUNCTION drop_timer() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
    DELETE FROM timer WHERE booking_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER drop_timer AFTER UPDATE ON booking FOR EACH ROW
    WHEN (OLD.wake_at IS NOT NULL AND NEW.wake_at IS NULL)
    EXECUTE FUNCTION drop_timer();
