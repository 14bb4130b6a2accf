//! Fields of requests: their schemas, read from the domain's limits, and how they are parsed.

use std::{convert::Infallible, fmt::Display};

use karcis_http::{FieldErrors, LINE, LINES, Patch, Problem, Time};
use karcis_kernel::{Currency, Timestamp};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::SchemaType},
};

use crate::domain::{
    CancelReason, Capacity, Description, FieldError, Gate, MAX_TICKET_TYPES, PerBooking, PerBuyer,
    Price, TicketName, Title, Venue,
};

/// Describes the fields that are parsed into a text of the domain.
macro_rules! text_schemas {
    ($($(#[doc = $doc:literal])* $name:ident of $text:ty, such as $example:literal;)+) => {$(
        $(#[doc = $doc])*
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let pattern = if <$text>::MULTILINE { LINES } else { LINE };
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),*).trim()))
                    .min_length(Some(<$text>::MIN_CHARS))
                    .max_length(Some(<$text>::MAX_CHARS))
                    .pattern(Some(pattern))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

text_schemas! {
    /// An event's title; spaces and line breaks around it are removed.
    EventTitle of Title, such as "Angklung Night";
    /// Where an event takes place; spaces and line breaks around it are removed.
    VenueName of Venue, such as "Saung Udjo, Bandung";
    /// A ticket type's name; spaces and line breaks around it are removed.
    TicketTypeName of TicketName, such as "VIP";
    /// What an event is about; it may have line breaks.
    LongText of Description, such as "An evening of bamboo.";
    /// Why an event is cancelled; spaces and line breaks around it are removed.
    CancelReasonText of CancelReason, such as "the venue is flooded";
    /// A door of the venue; spaces and line breaks around it are removed.
    GateName of Gate, such as "North";
}

/// What a ticket costs; 0 is free.
#[derive(ToSchema)]
#[schema(as = Price)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes")]
pub(super) struct PriceSchema {
    #[schema(schema_with = amount)]
    amount: i64,
    currency: Currency,
}

fn amount() -> ObjectBuilder {
    number(Type::Integer, Price::MIN, Price::MAX, 1_500_000)
}

/// The schema of a required capacity.
pub(super) fn capacity() -> ObjectBuilder {
    number(Type::Integer, Capacity::MIN, Capacity::MAX, 100)
}

/// The schema of `max_per_booking`, which may be null.
pub(super) fn max_per_booking() -> ObjectBuilder {
    let or_null = SchemaType::from_iter([Type::Integer, Type::Null]);
    let default = PerBooking::DEFAULT.get();
    number(or_null, PerBooking::MIN, PerBooking::MAX, 4)
        .description(Some(format!("{default} if it is null.")))
}

/// The schema of `max_per_buyer`, which may be null.
pub(super) fn max_per_buyer() -> ObjectBuilder {
    let or_null = SchemaType::from_iter([Type::Integer, Type::Null]);
    number(or_null, PerBuyer::MIN, PerBuyer::MAX, 4)
        .description(Some("How many seats one buyer may have, held and sold; null: any number."))
}

fn number(of: impl Into<SchemaType>, min: i64, max: i64, example: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(of)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(min))
        .maximum(Some(max))
        .examples([example])
}

// The schema of a list takes literals only.
const _: () = assert!(MAX_TICKET_TYPES == 20, "correct max_items of ticket_types");

/// The time, for [`clearable`] and [`required`].
pub(super) fn instant(Time(at): Time) -> Result<Timestamp, Infallible> {
    Ok(at)
}

/// The parsed value of a field that may be absent. The outer `None`: an error was noted.
pub(super) fn optional<T, U, E: Display>(
    fields: &mut FieldErrors,
    field: &str,
    value: Option<T>,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Option<Option<U>> {
    match value {
        None => Some(None),
        Some(value) => fields.check(field, parse(value)).map(Some),
    }
}

/// The change of a field that can be cleared.
pub(super) fn clearable<T, U, E: Display>(
    fields: &mut FieldErrors,
    field: &str,
    change: Patch<T>,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Option<Option<U>> {
    match change {
        Patch::Unchanged => None,
        Patch::Null => Some(None),
        Patch::Value(value) => fields.check(field, parse(value)).map(Some),
    }
}

/// The change of a field that cannot be cleared.
pub(super) fn required<T, U, E: Display>(
    fields: &mut FieldErrors,
    field: &str,
    change: Patch<T>,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Option<U> {
    match change {
        Patch::Unchanged => None,
        Patch::Null => {
            fields.add(field, "give a value, or leave the field out to keep the one it has");
            None
        }
        Patch::Value(value) => fields.check(field, parse(value)),
    }
}

/// 422 with the errors that the domain found.
pub(super) fn invalid(errors: Vec<FieldError>) -> Problem {
    let errors = errors.into_iter().map(|error| karcis_http::FieldError {
        field: error.field,
        message: error.message.into_owned(),
    });
    Problem::invalid(errors.collect())
}
