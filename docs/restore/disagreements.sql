-- Finished bookings on which the services disagree. There must be none once no booking is unfinished. Run it as
-- superuser, in a database with all schemas. What it says of money is payment-service's; that the provider has
-- the same, payment-service's reconciler finds out (`karcis ops differences`).
SELECT booking.id::text AS booking, stage, hold.state AS hold, price, kept
FROM bookings.booking
LEFT JOIN payments.payment ON payment.booking_id = booking.id
LEFT JOIN events.hold AS held ON held.booking_id = booking.id
CROSS JOIN LATERAL (SELECT coalesce(held.state, 'none') AS state) AS hold
CROSS JOIN LATERAL (
    SELECT coalesce((offer -> 'total' ->> 'amount')::bigint, 0) AS price,
        coalesce(payment.captured - payment.refunded, 0) AS kept
) AS money
WHERE CASE stage
    WHEN 'confirmed' THEN hold.state <> 'sold' OR kept <> price
    -- `rejected`: the booking was being cancelled when the rejection arrived.
    WHEN 'cancelled' THEN hold.state NOT IN ('released', 'rejected') OR kept <> 0
    WHEN 'rejected' THEN hold.state <> 'rejected' OR kept <> 0
    ELSE false
END
LIMIT 10
