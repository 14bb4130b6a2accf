//! What a message is: its topic, its key, its type, its body.

use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

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

/// A topic as the AsyncAPI document describes it.
pub struct Channel {
    /// The topic's name, without a deployment's prefix.
    pub topic: &'static str,
    pub about: &'static str,
    /// The messages' field that is their key, such as `event_id`.
    pub key: &'static str,
    /// Whether each message belongs to a booking, which is then its correlation.
    pub of_booking: bool,
    pub writer: &'static str,
    pub reader: &'static str,
    /// The topic on which the reader replies to commands.
    pub replies: Option<&'static str>,
    /// The types of all its messages.
    pub kinds: &'static [&'static str],
    /// The schemas of its messages and of what they contain, by name.
    pub schemas: fn() -> Vec<(String, RefOr<Schema>)>,
}

/// Turns the list of topics and messages into an enum per topic, [`TOPICS`](crate::TOPICS) and
/// [`CHANNELS`](crate::CHANNELS).
macro_rules! topics {
    ($(
        $(#[doc = $about:literal])+
        $topic:ident = $name:literal {
            key: $key:ident, of_booking: $of_booking:tt,
            $writer:literal => $reader:literal, replies: $replies:expr,
            $module:ident: $($message:ident),+ $(,)?
        }
    )+) => {
        /// All topics, without a deployment's prefix.
        pub const TOPICS: [&str; [$($name),+].len()] = [$($name),+];

        /// All topics with what the AsyncAPI document says of them, in the order of [`TOPICS`].
        pub const CHANNELS: [Channel; TOPICS.len()] = [$(Channel {
            topic: $name,
            about: concat!($($about),+).trim_ascii(),
            key: stringify!($key),
            of_booking: $of_booking,
            writer: $writer,
            reader: $reader,
            replies: $replies,
            kinds: $topic::KINDS,
            schemas: || {
                let mut schemas = Vec::new();
                $(
                    schemas.push(($message::name().into_owned(), $message::schema()));
                    $message::schemas(&mut schemas);
                )+
                schemas
            },
        }),+];

        $(
            pub use $module::{$($message),+};

            $(#[doc = $about])+
            #[derive(Clone, Debug, PartialEq)]
            pub enum $topic {
                $($message($message),)+
            }

            $(impl From<$message> for $topic {
                fn from(message: $message) -> Self {
                    Self::$message(message)
                }
            })+

            impl Message for $topic {
                const TOPIC: &'static str = $name;
                const KINDS: &'static [&'static str] = &[$($crate::message::kind!($message)),+];

                fn kind(&self) -> &'static str {
                    match self { $(Self::$message(_) => $crate::message::kind!($message),)+ }
                }

                fn key(&self) -> Uuid {
                    match self { $(Self::$message(message) => message.$key.0,)+ }
                }

                fn correlation(&self) -> Option<Uuid> {
                    match self {
                        $(Self::$message(_message) => {
                            $crate::message::correlation!($of_booking, _message)
                        })+
                    }
                }

                fn body(&self) -> serde_json::Result<Vec<u8>> {
                    match self { $(Self::$message(message) => serde_json::to_vec(message),)+ }
                }

                fn decode(kind: &str, body: &[u8]) -> serde_json::Result<Option<Self>> {
                    Ok(match kind {
                        $($crate::message::kind!($message) => {
                            Some(Self::$message(serde_json::from_slice(body)?))
                        })+
                        _ => None,
                    })
                }
            }
        )+
    };
}

macro_rules! kind {
    ($message:ident) => {
        concat!("karcis.", stringify!($message), ".v1")
    };
}

macro_rules! correlation {
    (true, $message:ident) => {
        Some($message.booking_id.0)
    };
    (false, $message:ident) => {
        None
    };
}

pub(crate) use {correlation, kind, topics};
