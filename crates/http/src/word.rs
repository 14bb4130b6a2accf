//! One of a few texts: serde's enums alone would take `{"draft": null}` for `"draft"`.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IntoDeserializer},
};

/// A value that requests give as a text. Use it for every enum in a body.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Word<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(String::deserialize(deserializer)?.into_deserializer()).map(Self)
    }
}
