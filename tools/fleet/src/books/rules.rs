//! The rules of docs/proof.md as queries: each gives the bookings that break it, and how.

/// When something has to hold; what holds earlier holds later. All schemas are in one database, so that a
/// query sees one moment of them all, in which nothing is without its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// After every commit.
    Always,
    /// When all messages are handled: of what has ended.
    Quiet,
    /// When nothing is under way any more.
    Rest,
}

/// What must hold, and the query that finds what does not.
pub(super) struct Rule {
    pub(super) number: u8,
    pub(super) when: When,
    /// Gives a booking or NULL, and a text.
    pub(super) broken: &'static str,
}

const fn rule(number: u8, when: When, broken: &'static str) -> Rule {
    Rule { number, when, broken }
}

pub(super) const RULES: [Rule; 21] = [
    rule(1, When::Always, STOCK),
    rule(10, When::Always, TICKETS),
    rule(5, When::Always, NET),
    rule(6, When::Always, LOG),
    rule(6, When::Always, LAST_ENTRY),
    rule(6, When::Always, ACCEPTED_CANCEL),
    rule(15, When::Always, DEAD_LETTERS),
    rule(2, When::Always, CONFIRMED),
    rule(2, When::Always, CHARGED),
    rule(3, When::Always, REJECTED),
    rule(4, When::Always, KEPT),
    rule(4, When::Quiet, CANCELLED),
    rule(7, When::Always, SEATS_OF_NOBODY),
    rule(10, When::Always, SHOWN_TICKETS),
    rule(5, When::Quiet, LEDGER),
    rule(8, When::Rest, UNENDED),
    rule(8, When::Rest, OPEN_PAYMENT),
    rule(9, When::Rest, CANCELLED_EVENT),
    rule(4, When::Rest, OWED),
    rule(15, When::Rest, OUTBOXES),
    rule(12, When::Rest, UNTOLD),
];

const STOCK: &str = "
SELECT NULL::uuid, format('of ticket type %s %s are held and %s sold of %s, but its holds have %s and %s',
    ticket_type_id, stock.held, stock.sold, capacity, holds.held, holds.sold)
FROM events.ticket_type AS stock
CROSS JOIN LATERAL (
    SELECT coalesce(sum((item ->> 'quantity')::bigint) FILTER (WHERE state = 'held'), 0) AS held,
        coalesce(sum((item ->> 'quantity')::bigint) FILTER (WHERE state = 'sold'), 0) AS sold
    FROM events.hold, jsonb_array_elements(reservation -> 'items') AS item
    WHERE hold.event_id = stock.event_id AND state IN ('held', 'sold')
        AND (item ->> 'ticket_type_id')::uuid = stock.ticket_type_id
) AS holds
WHERE (stock.held, stock.sold) <> (holds.held, holds.sold)
    OR stock.held < 0 OR stock.sold < 0 OR stock.held + stock.sold > capacity
LIMIT 10";

const TICKETS: &str = "
SELECT booking_id, format('%s seats are sold with %s tickets', seats, tickets)
FROM events.hold
CROSS JOIN LATERAL (
    SELECT sum((item ->> 'quantity')::bigint) AS seats
    FROM jsonb_array_elements(reservation -> 'items') AS item
) AS ordered
CROSS JOIN LATERAL (
    SELECT count(*) AS tickets FROM events.ticket WHERE ticket.booking_id = hold.booking_id
) AS minted
WHERE state = 'sold' AND seats <> tickets
LIMIT 10";

const NET: &str = "
SELECT booking_id, format('%s came and %s went back of %s', came, went, amount)
FROM payments.payment
CROSS JOIN LATERAL (
    SELECT coalesce(sum(charge.amount), 0) AS came FROM simulated_gateway.charge
    WHERE intent = booking_id AND answer = 'captured'
) AS charges
CROSS JOIN LATERAL (
    SELECT coalesce(sum(refund.amount), 0) AS went FROM simulated_gateway.refund
    WHERE intent = booking_id
) AS refunds
WHERE went > came OR came - went > amount OR captured > came OR refunded > went
LIMIT 10";

const LOG: &str = "
SELECT booking_id, format('entry %s goes on from %s, though the one before led to %s', seq, from_stage, before)
FROM (
    SELECT booking_id, seq, from_stage, lag(to_stage) OVER (PARTITION BY booking_id ORDER BY seq) AS before
    FROM bookings.saga_log
) AS entry
WHERE from_stage IS DISTINCT FROM before OR before IN ('rejected', 'cancelled')
LIMIT 10";

const LAST_ENTRY: &str = "
SELECT id, format('it is %s in version %s, and entry %s of its timeline led to %s', stage, version, seq, to_stage)
FROM bookings.booking
CROSS JOIN LATERAL (
    SELECT seq, to_stage FROM bookings.saga_log WHERE booking_id = id ORDER BY seq DESC LIMIT 1
) AS last
WHERE stage <> to_stage OR version < seq
LIMIT 10";

const ACCEPTED_CANCEL: &str = "
SELECT id, 'its buyer cancelled it, and it is confirmed'
FROM bookings.booking JOIN bookings.saga_log ON booking_id = id
WHERE stage = 'confirmed' AND input = 'cancel'
LIMIT 10";

const DEAD_LETTERS: &str = "
SELECT NULL::uuid, format('%s has dead-lettered a %s: %s', service, kind, error)
FROM (
    SELECT 'user-service' AS service, kind, error FROM users.dead_letter
    UNION ALL SELECT 'event-service', kind, error FROM events.dead_letter
    UNION ALL SELECT 'booking-service', kind, error FROM bookings.dead_letter
    UNION ALL SELECT 'payment-service', kind, error FROM payments.dead_letter
    UNION ALL SELECT 'user-service''s relay', kind, error FROM users.parked_message
    UNION ALL SELECT 'event-service''s relay', kind, error FROM events.parked_message
    UNION ALL SELECT 'booking-service''s relay', kind, error FROM bookings.parked_message
    UNION ALL SELECT 'payment-service''s relay', kind, error FROM payments.parked_message
) AS letter
LIMIT 10";

/// What docs/backup.md has an operator ask, for bookings of one stage.
macro_rules! disagreements {
    ($stage:literal) => {
        concat!(
            "SELECT booking::uuid, format('it is %s, its hold is %s, and of %s it keeps %s', stage, hold, price, kept)
             FROM (",
            include_str!("../../../../docs/restore/disagreements.sql"),
            ") AS disagreement WHERE stage = '",
            $stage,
            "'"
        )
    };
}

const CONFIRMED: &str = disagreements!("confirmed");
const CANCELLED: &str = disagreements!("cancelled");

/// The same by the provider's ledger.
const CHARGED: &str = "
SELECT id, format('it is confirmed, and of %s the provider keeps %s', price, kept)
FROM bookings.booking
CROSS JOIN LATERAL (
    SELECT coalesce((offer -> 'total' ->> 'amount')::bigint, 0) AS price,
        (SELECT coalesce(sum(amount), 0) FROM simulated_gateway.charge
            WHERE intent = id AND answer = 'captured')
        - (SELECT coalesce(sum(amount), 0) FROM simulated_gateway.refund WHERE intent = id) AS kept
) AS money
WHERE stage = 'confirmed' AND kept <> price
LIMIT 10";

/// A refund is under way from when booking-service asks for it, late money's return from when payment-service
/// knows of it.
const KEPT: &str = "
SELECT hold.booking_id, format('its hold is %s, it is %s, and of %s that came %s went back', hold.state,
    coalesce(stage, 'unknown to booking-service'), captured, payment.refunded)
FROM events.hold
JOIN payments.payment USING (booking_id)
LEFT JOIN bookings.booking ON booking.id = booking_id
WHERE hold.state IN ('released', 'rejected') AND captured > payment.refunded
    AND stage IS DISTINCT FROM 'refunding' AND status <> 'refunding'
    AND NOT EXISTS (
        SELECT FROM payments.attempt WHERE attempt.booking_id = hold.booking_id AND outcome = 'returning')
LIMIT 10";

const REJECTED: &str = concat!(
    disagreements!("rejected"),
    " UNION ALL
    (SELECT id, 'it is rejected, and was charged once' FROM bookings.booking
    WHERE stage = 'rejected' AND EXISTS (
        SELECT FROM simulated_gateway.charge WHERE intent = id AND answer = 'captured')
    LIMIT 10)"
);

const SEATS_OF_NOBODY: &str = "
SELECT booking_id, format('its seats are %s, and it is %s', state, coalesce(stage, 'unknown to booking-service'))
FROM events.hold LEFT JOIN bookings.booking ON id = booking_id
WHERE state IN ('held', 'sold') AND (stage IS NULL OR stage IN ('rejected', 'cancelled'))
LIMIT 10";

const SHOWN_TICKETS: &str = "
SELECT id, 'its buyer has other tickets than were sold'
FROM bookings.booking
WHERE stage = 'confirmed' AND (
    SELECT array_agg(code ORDER BY code)
    FROM json_array_elements(tickets) AS shown, LATERAL (SELECT (shown ->> 'code')::uuid AS code) AS its
) IS DISTINCT FROM (
    SELECT array_agg(code ORDER BY code) FROM events.ticket WHERE booking_id = id
)
LIMIT 10";

const LEDGER: &str = "
SELECT intent, format('by the provider %s came and %s went back, by payment-service %s and %s', came, went,
    captured, refunded)
FROM (
    SELECT intent, coalesce(sum(came), 0) AS came, coalesce(sum(went), 0) AS went
    FROM (
        SELECT intent, amount AS came, 0 AS went FROM simulated_gateway.charge WHERE answer = 'captured'
        UNION ALL SELECT intent, 0, amount FROM simulated_gateway.refund
    ) AS movement
    GROUP BY intent
) AS ledger
LEFT JOIN payments.payment ON booking_id = intent
WHERE (came, went) IS DISTINCT FROM (captured::numeric, refunded::numeric)
LIMIT 10";

/// An operator settles a refund that the provider refuses.
const UNENDED: &str = "
SELECT id, format('it is %s, stuck as %s', stage, coalesce(stuck, 'nothing says'))
FROM bookings.booking LEFT JOIN payments.payment ON booking_id = id
WHERE NOT (stage IN ('confirmed', 'rejected', 'cancelled') AND stuck IS NULL
    OR stage = 'refunding' AND released AND coalesce(stuck, '') = 'refund_refused' AND refund_refusal IS NOT NULL)
LIMIT 10";

const OPEN_PAYMENT: &str = "
SELECT booking_id, format('it has ended, and its payment is %s', status)
FROM payments.payment
WHERE status IN ('open', 'processing') OR status = 'refunding' AND refund_refusal IS NULL
LIMIT 10";

const CANCELLED_EVENT: &str = "
SELECT NULL::uuid, format('event %s is cancelled with %s seats held and %s sold', event_id, held, sold)
FROM events.event JOIN events.ticket_type USING (event_id)
WHERE stage = 'cancelled' AND held + sold > 0
UNION ALL
SELECT id, 'it is confirmed, and its event is cancelled'
FROM bookings.booking JOIN events.event USING (event_id)
WHERE booking.stage = 'confirmed' AND event.stage = 'cancelled'
LIMIT 10";

const OWED: &str = "
SELECT booking_id, 'money that came too late or twice has not gone back'
FROM payments.attempt
WHERE outcome = 'returning' AND reversal_refusal IS NULL
LIMIT 10";

const OUTBOXES: &str = "
SELECT NULL::uuid, format('%s messages of %s are not sent', count(*), service)
FROM (
    SELECT 'user-service' AS service FROM users.outbox
    UNION ALL SELECT 'event-service' FROM events.outbox
    UNION ALL SELECT 'booking-service' FROM bookings.outbox
    UNION ALL SELECT 'payment-service' FROM payments.outbox
) AS waiting
GROUP BY service";

/// Nothing sends a fact again, so that one is missing here says that it was lost.
const UNTOLD: &str = "
SELECT id, format('it is %s, and user-service was not told', booking.stage)
FROM bookings.booking JOIN users.account USING (user_id)
WHERE stage IN ('confirmed', 'rejected', 'cancelled') AND NOT EXISTS (
    SELECT FROM users.notice WHERE booking_id = id AND kind = stage)
LIMIT 10";
