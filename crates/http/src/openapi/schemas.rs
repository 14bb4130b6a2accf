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

/// The pattern of a text of one line that is not blank.
pub const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

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
