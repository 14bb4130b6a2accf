-- What was sold and given back of each ticket type by day, in the event's time zone at that time. Written with the
-- holds, so that nobody has to add up all of them to look at an event's sales. Money has no upper limit here, as
-- seats may be sold and given back again and again.
CREATE TABLE sales_day (
    event_id uuid NOT NULL,
    day date NOT NULL,
    ticket_type_id uuid NOT NULL,
    sold bigint NOT NULL,
    refunded bigint NOT NULL,
    revenue numeric NOT NULL,
    refunds numeric NOT NULL,
    CONSTRAINT sales_day_once PRIMARY KEY (event_id, day, ticket_type_id)
) WITH (fillfactor = 50); -- A day's row is written with every batch: room for HOT updates.

-- What is sold already. What was given back already is not known any more. While instances of the release before
-- still run, what they sell and give back is counted only in the seats of the ticket type.
INSERT INTO sales_day (event_id, day, ticket_type_id, sold, refunded, revenue, refunds)
SELECT hold.event_id, (hold.changed_at AT TIME ZONE COALESCE(zone.name, 'UTC'))::date, ticket_type_id,
       sum(quantity), 0, sum(quantity * unit_price), 0
FROM hold
JOIN event ON event.event_id = hold.event_id
LEFT JOIN pg_timezone_names AS zone ON zone.name = event.time_zone
CROSS JOIN LATERAL jsonb_array_elements(
    CASE jsonb_typeof(reservation -> 'items') WHEN 'array' THEN reservation -> 'items' END) AS item
CROSS JOIN LATERAL (SELECT
    CASE jsonb_typeof(item -> 'quantity') WHEN 'number' THEN (item -> 'quantity')::numeric ELSE 0 END AS quantity,
    CASE jsonb_typeof(item -> 'unit_price') WHEN 'number' THEN (item -> 'unit_price')::numeric ELSE 0 END AS unit_price
) AS numbers
JOIN ticket_type ON ticket_type.ticket_type_id::text = item ->> 'ticket_type_id'
WHERE hold.state = 'sold'
GROUP BY 1, 2, 3;
