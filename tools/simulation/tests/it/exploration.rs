//! Every order, repetition and loss of messages.

use karcis_simulation::exploration::{Explored, Rules, Scenario, explore};

const PRICED: [&str; 9] = [
    "awaiting",
    "cancelled",
    "cancelling",
    "confirmed",
    "confirming",
    "refunding",
    "rejected",
    "releasing",
    "reserving",
];
const FREE: [&str; 6] =
    ["cancelled", "confirmed", "confirming", "rejected", "releasing", "reserving"];

/// The numbers are exact: a change of a rule that adds or removes a world has to be meant.
#[test]
fn no_order_repetition_or_loss_of_messages_costs_money_or_seats_and_every_booking_ends() {
    for (price, is_refundable, attempts, is_moved, worlds, stages) in [
        (100, true, 2, false, 157_170, &PRICED[..]),
        (100, false, 2, false, 157_170, &PRICED[..]),
        (100, false, 1, true, 66_277, &PRICED[..]),
        (0, true, 0, false, 1_396, &FREE[..]),
        (0, false, 0, false, 1_396, &FREE[..]),
        (0, false, 0, true, 3_487, &FREE[..]),
    ] {
        let scenario = Scenario { price, is_refundable, attempts, is_moved };
        let explored = explore(&Rules::default(), scenario);
        assert_eq!(explored, Ok(Explored { worlds, stages: stages.to_vec() }));
    }
}
