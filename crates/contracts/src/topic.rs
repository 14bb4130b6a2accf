//! What a message is: its topic, its key, its type, its body.

use uuid::Uuid;

/// All topics, without a deployment's prefix.
pub const TOPICS: [&str; 7] = [
    crate::EventCommand::TOPIC,
    crate::PaymentCommand::TOPIC,
    crate::TicketFact::TOPIC,
    crate::PaymentFact::TOPIC,
    crate::EventFact::TOPIC,
    crate::BookingFact::TOPIC,
    crate::UserFact::TOPIC,
];

/// The messages of one topic.
pub trait Message: Sized {
    /// The topic's name, without a deployment's prefix.
    const TOPIC: &'static str;

    /// The types of all messages of the topic.
    const KINDS: &'static [&'static str];

    /// The CloudEvents type, such as `karcis.ReserveTickets.v1`.
    fn kind(&self) -> &'static str;

    /// What the topic is partitioned by: messages of one key keep their order.
    fn key(&self) -> Uuid;

    /// The booking whose saga this belongs to.
    fn correlation(&self) -> Option<Uuid>;

    /// The JSON body.
    fn body(&self) -> serde_json::Result<Vec<u8>>;

    /// The message of this type and body; `None` for a type this version does not know.
    fn decode(kind: &str, body: &[u8]) -> serde_json::Result<Option<Self>>;
}

/// Declares a topic's messages as an enum of their structs, and how to tell them apart.
macro_rules! topic {
    (
        $(#[$doc:meta])*
        $topic:ident = $name:literal, key: $key:ident, correlation: $correlation:expr;
        $($(#[$message_doc:meta])* $message:ident = $kind:literal),+ $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $topic {
            $($(#[$message_doc])* $message($message),)+
        }

        $(impl From<$message> for $topic {
            fn from(message: $message) -> Self {
                Self::$message(message)
            }
        })+

        impl $crate::Message for $topic {
            const TOPIC: &'static str = $name;
            const KINDS: &'static [&'static str] = &[$($kind),+];

            fn kind(&self) -> &'static str {
                match self { $(Self::$message(_) => $kind,)+ }
            }

            fn key(&self) -> uuid::Uuid {
                match self { $(Self::$message(message) => message.$key.0,)+ }
            }

            fn correlation(&self) -> Option<uuid::Uuid> {
                let correlation: fn(&Self) -> Option<uuid::Uuid> = $correlation;
                correlation(self)
            }

            fn body(&self) -> serde_json::Result<Vec<u8>> {
                match self { $(Self::$message(message) => serde_json::to_vec(message),)+ }
            }

            fn decode(kind: &str, body: &[u8]) -> serde_json::Result<Option<Self>> {
                Ok(match kind {
                    $($kind => Some(Self::$message(serde_json::from_slice(body)?)),)+
                    _ => None,
                })
            }
        }
    };
}

/// A booking's own topics: every message names its booking.
macro_rules! by_booking {
    ($topic:ident: $($message:ident),+) => {
        |fact| match fact { $($topic::$message(message) => Some(message.booking_id.0),)+ }
    };
}

pub(crate) use {by_booking, topic};
