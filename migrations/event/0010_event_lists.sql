-- Lists of events, soonest first: what has not started, by stage and start; what goes on, by the time
-- in which it does.
CREATE INDEX event_by_stage ON event (stage, starts_at, event_id);
CREATE INDEX event_going_on ON event USING gist (tstzrange(starts_at, over_at));
