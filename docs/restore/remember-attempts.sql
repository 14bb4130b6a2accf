-- Adds to a restored payment-service the captures that the provider knows and the backup does not have.
-- payment-service then asks the provider with the same keys, as it does after a timeout, and continues.
-- With a real provider, use its list of captures instead of simulated_gateway.charge.
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
