-- Captures of bookings that booking-service does not know: refund them at the provider, by hand. With a
-- real provider, use its list of captures instead of simulated_gateway.charge.
SELECT charge.intent AS booking, charge.amount, charge.currency, charge.asked_at
FROM simulated_gateway.charge
WHERE answer = 'captured'
    AND NOT EXISTS (SELECT FROM bookings.booking WHERE id = charge.intent)
    AND NOT EXISTS (SELECT FROM simulated_gateway.refund WHERE refund.intent = charge.intent)
