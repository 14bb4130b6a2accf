//! The ports in memory pass the tests that those in Postgres pass.

use async_trait::async_trait;
use karcis_booking_service::application::port_tests as bookings;
use karcis_event_service::application::port_tests as events;
use karcis_kernel::BookingId;
use karcis_payment_service::application::{
    PaymentGateway, port_tests as payments,
    provider_tests::{self, TestMethods, TestedProvider},
};
use karcis_simulation::seeded::Ports;
use karcis_user_service::application::port_tests as users;

#[tokio::test]
async fn bookings_in_memory_are_as_in_postgres() {
    bookings::a_change_is_written_if_nothing_came_between(&Ports::still()).await;
    bookings::a_key_makes_one_booking(&Ports::still()).await;
    let ports = Ports::still();
    bookings::a_due_timer_is_claimed_once(&ports, &ports).await;
    let ports = Ports::still();
    let cancelled = ports.cancelled_events();
    bookings::a_cancelled_events_bookings_are_found(&ports, &ports, &cancelled).await;
    let ports = Ports::still();
    let moved = ports.moved_events();
    bookings::a_moved_events_holders_are_found(&ports, &ports, &moved).await;
    let ports = Ports::still();
    bookings::an_erased_buyers_bookings_are_found(&ports, &ports).await;
}

#[tokio::test]
async fn events_in_memory_are_as_in_postgres() {
    let ports = Ports::still();
    events::a_hold_goes_with_its_stock(&ports, &ports).await;
    let ports = Ports::still();
    events::a_change_is_written_if_nothing_came_between(&ports, &ports).await;
    let ports = Ports::still();
    events::a_cancelled_event_is_announced_until_it_is_free(&ports, &ports, &ports).await;
}

#[tokio::test]
async fn payments_in_memory_are_as_in_postgres() {
    payments::a_change_is_written_if_nothing_came_between(&Ports::still()).await;
    payments::a_key_starts_one_attempt(&Ports::still()).await;
    payments::who_needs_the_provider_is_claimed(&Ports::still()).await;
    payments::what_an_operator_settles_is_asked_about_at_once(&Ports::still()).await;
    payments::what_an_operator_wants_asked_is_asked_at_once(&Ports::still()).await;
    payments::what_the_provider_leaves_open_is_listed_and_held(&Ports::still()).await;
    payments::a_payment_that_leaves_its_intent_open_is_looked_up(&Ports::still()).await;
}

#[tokio::test]
async fn e_mails_in_memory_are_as_in_postgres() {
    users::a_notification_is_due_until_it_is_done(&Ports::still()).await;
    users::notifications_come_in_order_and_old_ones_never(&Ports::still()).await;
    users::who_has_paid_is_not_told_to(&Ports::still()).await;
    let ports = Ports::still().with(users::buyer());
    users::who_is_erased_gets_no_e_mail(&ports, &ports).await;
    users::so_many_e_mails_a_day(&Ports::still()).await;
}

/// The provider in memory, whose answers are lost by the seed.
struct InMemory(Ports);

#[async_trait]
impl TestedProvider for InMemory {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.0
    }

    fn methods(&self) -> TestMethods {
        TestMethods {
            approved: "tok_approved",
            insufficient_funds: "tok_insufficient_funds",
            stolen_card: "tok_stolen_card",
            action_required: "tok_action_required",
            answer_lost: "tok_answer_lost",
            never_arrives: "tok_never_arrives",
            refund_pending: "tok_refund_pending",
            refund_refused: "tok_refund_refused",
        }
    }

    async fn buyer_acts(&self, intent: BookingId, approves: bool) {
        assert!(self.0.buyer_acts(intent, approves));
    }

    async fn refunds_are_done(&self, intent: BookingId) {
        assert!(self.0.refunds_are_done(intent));
    }
}

#[tokio::test]
async fn the_provider_in_memory_is_as_the_others() {
    provider_tests::an_intent_captures_once(&InMemory(Ports::still())).await;
    provider_tests::a_declined_charge_can_be_followed_by_another(&InMemory(Ports::still())).await;
    provider_tests::a_voided_intent_takes_no_money(&InMemory(Ports::still())).await;
    provider_tests::a_charge_waits_for_its_buyer(&InMemory(Ports::still())).await;
    provider_tests::money_goes_back_once(&InMemory(Ports::still())).await;
}
