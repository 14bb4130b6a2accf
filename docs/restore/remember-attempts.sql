-- Tells payment-service of captures that the provider knows and a restored payment-service forgot.
-- It then asks the provider under the same keys, as it does after a time-out, and goes on from there.
-- With a real provider put its list of captures in the place of simulated_gateway.charge.
WITH remembered AS (
    INSERT INTO payments.attempt (booking_id, id, at, method)
    SELECT payment.booking_id, substr(key, length('charge/') + 1)::uuid, asked_at, method
    FROM simulated_gateway.charge
    JOIN payments.payment ON payment.booking_id = charge.intent
    WHERE answer = 'captured' AND status = 'open'
    ON CONFLICT DO NOTHING
    RETURNING booking_id
)
UPDATE payments.payment
SET status = 'processing', version = version + 1
FROM remembered
WHERE payment.booking_id = remembered.booking_id
