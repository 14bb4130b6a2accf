//! booking-service as a black box, on real Kafka and Postgres: the tests play event-service and
//! payment-service.

mod calendar;
mod cancelling;
mod clock;
mod facts;
mod harness;
mod input;
mod instances;
mod limits;
mod locked;
mod lost_commits;
mod many;
mod moved;
mod moved_many;
mod names;
mod outage;
mod paying;
mod reconciler;
mod sagas;
mod set_aside;
mod showing;
mod silence;
mod stored_rows;
mod time;
mod unreadable;
mod verified;
