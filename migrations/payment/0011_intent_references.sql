-- The provider's own name of each booking's intent, which is charged only once it is here. NULL: the booking
-- was voided before there was one, and is never charged.
CREATE TABLE intent_reference (
    booking_id uuid PRIMARY KEY,
    reference text
);
