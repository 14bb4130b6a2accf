//! A first pass over a JSON text: whether it is JSON at all, and mistakes that no type notices.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::{FieldErrors, Problem};

/// 400 unless `text` is JSON, nested at most 127 deep; 422 if a string contains a NUL (Postgres stores
/// none), an object has a field twice, or a number is out of range. The rest of a text with many
/// mistakes is still read, as 400 comes before 422, but nothing more is noted.
pub(crate) fn scan(text: &str) -> Result<(), Problem> {
    let mut scan = Scan { path: String::new(), errors: FieldErrors::new() };
    let mut json = serde_json::Deserializer::from_str(text);
    let scanned = scan.deserialize(&mut json).and_then(|()| json.end());
    match scanned {
        Err(error) if error.to_string().starts_with("number out of range") => {
            scan.add("give a smaller number")
        }
        Err(error) => return Err(Problem::not_json(format!("the body is no JSON: {error}"))),
        Ok(()) => {}
    }
    scan.errors.finish()
}

struct Scan {
    /// The path of the value being read; after an error it stays where the error was.
    path: String,
    errors: FieldErrors,
}

impl Scan {
    fn add(&mut self, message: &str) {
        // A long path is copied for each error.
        if self.errors.is_full() {
            return;
        }
        let field = if self.path.is_empty() { "body" } else { &self.path };
        self.errors.add(field, message);
    }

    fn text(&mut self, text: &str) {
        if text.contains('\0') {
            self.add("leave out the NUL character (\\u0000)");
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Scan {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Scan {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let parent = self.path.len();
        for index in 0.. {
            self.path.push_str(&format!("[{index}]"));
            let item = items.next_element_seed(&mut *self)?;
            self.path.truncate(parent);
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let parent = self.path.len();
        let mut seen = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            if parent > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            self.text(&key);
            if !seen.insert(key) {
                self.add("give this field once");
            }
            fields.next_value_seed(&mut *self)?;
            self.path.truncate(parent);
        }
        Ok(())
    }
}
