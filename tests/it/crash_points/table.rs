//! Every place where a process can die between two effects, in each service that has it, and what people do
//! meanwhile.

use karcis_schemas::{BOOKING, EVENT, PAYMENT, Service, USER};

use super::acts::Act::{self, CallOff, LetExpire, Order, Pay, PayInVain, Poison, Refund, Register};

/// A place where a process dies.
pub(crate) struct Row {
    /// What `karcis_process::crash_point` is told there.
    pub(crate) point: &'static str,
    pub(crate) service: &'static Service,
    /// What brings the process there.
    pub(crate) act: Act,
}

const fn row(point: &'static str, service: &'static Service, act: Act) -> Row {
    Row { point, service, act }
}

/// Services take turns: one that dies soon again is started later.
pub(crate) static TABLE: &[Row] = &[
    // A transaction is written, not committed.
    row("database.commit", &USER, Register),
    row("database.commit", &EVENT, Order),
    row("database.commit", &BOOKING, Order),
    row("database.commit", &PAYMENT, Order),
    row("database.commit", &EVENT, CallOff),
    row("database.commit", &BOOKING, Pay),
    row("database.commit", &PAYMENT, Pay),
    row("database.commit", &EVENT, Refund),
    row("database.commit", &BOOKING, Refund),
    row("database.commit", &PAYMENT, Refund),
    row("database.commit", &BOOKING, LetExpire),
    // It is committed, and nobody knows: no answer, no offset, no signal to the relay.
    row("database.committed", &USER, Register),
    row("database.committed", &EVENT, Order),
    row("database.committed", &BOOKING, Order),
    row("database.committed", &PAYMENT, Order),
    row("database.committed", &EVENT, CallOff),
    row("database.committed", &BOOKING, Pay),
    row("database.committed", &PAYMENT, Pay),
    row("database.committed", &EVENT, Refund),
    row("database.committed", &BOOKING, Refund),
    row("database.committed", &PAYMENT, Refund),
    row("database.committed", &BOOKING, LetExpire),
    // Messages are taken from the broker, handled, and their offsets committed.
    row("consumer.taken", &USER, Pay),
    row("consumer.taken", &EVENT, Order),
    row("consumer.taken", &PAYMENT, Order),
    row("consumer.taken", &BOOKING, Order),
    row("consumer.handled", &USER, Pay),
    row("consumer.handled", &EVENT, Order),
    row("consumer.handled", &PAYMENT, Order),
    row("consumer.handled", &BOOKING, Order),
    row("consumer.committed", &USER, Pay),
    row("consumer.committed", &EVENT, Order),
    row("consumer.committed", &PAYMENT, Order),
    row("consumer.committed", &BOOKING, Order),
    // A message that nobody can read is stored, its offset not committed.
    row("consumer.dead_lettered", &USER, Poison),
    row("consumer.dead_lettered", &EVENT, Poison),
    row("consumer.dead_lettered", &PAYMENT, Poison),
    row("consumer.dead_lettered", &BOOKING, Poison),
    // Messages are read from the outbox, on their way to the broker, acknowledged by it, and deleted.
    row("relay.read", &USER, Register),
    row("relay.read", &EVENT, Order),
    row("relay.read", &PAYMENT, Pay),
    row("relay.read", &BOOKING, Order),
    row("relay.handed_over", &USER, Register),
    row("relay.handed_over", &EVENT, Order),
    row("relay.handed_over", &PAYMENT, Pay),
    row("relay.handed_over", &BOOKING, Order),
    row("relay.acknowledged", &USER, Register),
    row("relay.acknowledged", &EVENT, Order),
    row("relay.acknowledged", &PAYMENT, Pay),
    row("relay.acknowledged", &BOOKING, Order),
    row("relay.deleted", &USER, Register),
    row("relay.deleted", &EVENT, Order),
    row("relay.deleted", &PAYMENT, Pay),
    row("relay.deleted", &BOOKING, Order),
    // The provider is about to be asked, and has answered.
    row("provider.charge", &PAYMENT, Pay),
    row("account_mails.claimed", &USER, Register),
    row("provider.charged", &PAYMENT, Pay),
    row("timers.claimed", &BOOKING, LetExpire),
    row("provider.void", &PAYMENT, PayInVain),
    row("provider.voided", &PAYMENT, PayInVain),
    row("mails.counted", &USER, Register),
    row("provider.refund", &PAYMENT, Refund),
    row("account_mails.sent", &USER, Register),
    row("provider.refunded", &PAYMENT, Refund),
    row("event.applied", &BOOKING, CallOff),
    row("payments.claimed", &PAYMENT, Refund),
    row("notifications.added", &USER, Pay),
    row("payments.processing", &PAYMENT, PayInVain),
    row("notifications.claimed", &USER, Pay),
    row("notifications.sent", &USER, Pay),
];
