//! Schemas that several services' requests share.

use karcis_kernel::Currency;
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, OneOfBuilder, RefOr, Schema, Type},
};

/// The schema of a text that is one of these values.
pub fn one_of(values: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).build()
}

/// The schema of what is null until it is known.
pub fn or_null(schema: impl Into<RefOr<Schema>>) -> OneOfBuilder {
    OneOfBuilder::new().item(schema).item(Object::with_type(Type::Null))
}

/// What a ticket costs: 0 (free) to 10^12.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(1_500_000))]
    #[expect(dead_code, reason = "it is only described")]
    amount: i64,
    #[expect(dead_code, reason = "it is only described")]
    currency: Currency,
}

// Patterns are of texts before they are trimmed. That a text can be seen, no pattern says.
macro_rules! blanks {
    () => {
        r"[\x09-\x0d\x20\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]*"
    };
}
macro_rules! never {
    () => {
        r"\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb"
    };
}
macro_rules! line {
    () => {
        concat!(r"[^\x00-\x0d", never!(), "]*")
    };
}
macro_rules! lines {
    () => {
        concat!(r"[^\x00-\x09\x0b\x0c", never!(), "]*")
    };
}
macro_rules! no_blank {
    () => {
        concat!(r"[^\s\u200b\ufeff\x00-\x08", never!(), "]")
    };
}

/// The pattern of a text of one line that is not blank.
pub const LINE: &str = concat!("^", blanks!(), line!(), no_blank!(), line!(), blanks!(), "$");

/// The pattern of a text of lines, which may all be blank.
pub const LINES: &str = concat!("^", blanks!(), lines!(), blanks!(), "$");

/// Declares the schemas of texts in requests: their length in characters, pattern and an example.
#[macro_export]
macro_rules! texts {
    ($($(#[doc = $doc:literal])* $name:ident: $least:tt to $most:tt, $pattern:expr, such as $example:literal;)+) => {$(
        $(#[doc = $doc])*
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let (least, most) = ($least, $most);
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some(concat!($($doc),*).trim()))
                    .min_length(Some(least))
                    .max_length(Some(most))
                    .pattern(Some($pattern))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}

texts! {
    /// An IANA time zone.
    TimeZoneName: 2 to 40,
        r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
        such as "Asia/Jakarta";
}
