-- What is wrong once nothing is under way, a line each: stock that is not that of its holds, seats that no
-- booking has, and money of which provider and payments say otherwise.
SELECT format('ticket type %s: %s held and %s sold, of its holds %s and %s',
    ticket_type_id, stock.held, stock.sold, coalesce(holds.held, 0), coalesce(holds.sold, 0)) AS wrong
FROM events.ticket_type AS stock
LEFT JOIN (
    SELECT (item ->> 'ticket_type_id')::uuid AS ticket_type_id,
        sum((item ->> 'quantity')::integer) FILTER (WHERE state = 'held') AS held,
        sum((item ->> 'quantity')::integer) FILTER (WHERE state = 'sold') AS sold
    FROM events.hold, jsonb_array_elements(reservation -> 'items') AS item
    WHERE state IN ('held', 'sold')
    GROUP BY 1
) AS holds USING (ticket_type_id)
WHERE stock.held <> coalesce(holds.held, 0) OR stock.sold <> coalesce(holds.sold, 0)
UNION ALL
SELECT format('booking %s: its seats are %s, it is %s', booking_id, state, coalesce(stage, 'nowhere'))
FROM events.hold
LEFT JOIN bookings.booking ON booking.id = booking_id
WHERE state IN ('held', 'sold') AND (stage IS NULL OR stage IN ('rejected', 'cancelled'))
UNION ALL
SELECT format('booking %s: the provider took %s and gave back %s, the payment says %s and %s',
    intent, took, coalesce(gave_back, 0), captured, refunded)
FROM (
    SELECT intent, sum(amount) AS took FROM simulated_gateway.charge
    WHERE answer = 'captured' GROUP BY intent
) AS charges
LEFT JOIN (
    SELECT intent, sum(amount) AS gave_back FROM simulated_gateway.refund GROUP BY intent
) AS refunds USING (intent)
LEFT JOIN payments.payment ON booking_id = intent
WHERE took IS DISTINCT FROM captured OR coalesce(gave_back, 0) IS DISTINCT FROM refunded
LIMIT 10
