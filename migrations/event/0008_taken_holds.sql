-- What a buyer has of an event now is counted at each reservation: of what he ever had, this index
-- has only that. The state in it makes each sale and release write the row's other indexes too, which
-- costs less than reading the holds of years.
CREATE INDEX hold_taken ON hold (event_id, user_id, state) WHERE state IN ('held', 'sold');
