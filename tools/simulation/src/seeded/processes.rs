//! The processes of the services, by their instance, and what they stand on.

use std::time::Duration;

use super::broker::Group;

/// Instances of each service.
pub(crate) const INSTANCES: usize = 2;
/// After this time without a sign of life a member's partitions go to others.
pub(crate) const SESSION: Duration = Duration::from_secs(6);
/// After this time without a sign of life a relay loses its lock.
pub(crate) const RELAY_SESSION: Duration = Duration::from_secs(15);

/// A process of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {
    /// How many times it has died.
    pub(crate) epoch: u64,
    /// It is dead, and is started then.
    pub(crate) starts_at: Option<Duration>,
    /// It stands still until then.
    pub(crate) frozen_until: Option<Duration>,
    /// Since when it has shown no sign of life.
    pub(crate) silent_since: Option<Duration>,
    /// How many times it has died or stood still, or its store failed it.
    pub(crate) faults: u64,
    /// How far its clock is off, in milliseconds.
    pub(crate) skew_ms: i64,
}

/// What services stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ground {
    StoreOf(Group),
    Broker,
    MailServer,
}

impl Ground {
    /// Its name in a story.
    pub(crate) fn name(self) -> String {
        match self {
            Self::StoreOf(group) => format!("the store of {group:?}"),
            Self::Broker => "the broker".to_owned(),
            Self::MailServer => "the mail server".to_owned(),
        }
    }
}

/// The service of an instance.
pub(crate) fn group_of(instance: usize) -> Group {
    Group::ALL[instance / INSTANCES]
}

/// The instance's name in a story.
pub(crate) fn instance_name(instance: usize) -> String {
    let service = match group_of(instance) {
        Group::Booking => "booking-service",
        Group::Event => "event-service",
        Group::Payment => "payment-service",
        Group::User => "user-service",
    };
    format!("{service} {}", instance % INSTANCES + 1)
}
