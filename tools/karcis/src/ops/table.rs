//! Tables and lines for people, JSON for scripts.

use serde_json::{Value, json};

use super::{OpsError, client::Failures};

/// What a command prints, in both forms, and what failed meanwhile.
pub(super) struct Shown {
    text: String,
    json: Value,
    failures: Failures,
}

impl Shown {
    pub(super) fn new(text: String, json: Value) -> Self {
        Self { text, json, failures: Failures::default() }
    }

    /// A list, of which people see a table. That there is `nothing` is known only if nothing failed.
    pub(super) fn list(
        items: Vec<Value>,
        columns: &[Column],
        nothing: &str,
        failures: Failures,
    ) -> Self {
        let text = match items.is_empty() {
            true if failures.is_empty() => nothing.to_owned(),
            true => String::new(),
            false => table(columns, items.iter()),
        };
        Self { text, json: json!({"items": items}), failures }
    }

    /// The same, after these failures.
    pub(super) fn after(self, failures: Failures) -> Self {
        Self { failures, ..self }
    }

    /// Prints what there is; an error if something failed.
    pub(super) fn print(self, as_json: bool) -> Result<(), OpsError> {
        if as_json {
            println!("{:#}", self.json);
        } else if !self.text.is_empty() {
            println!("{}", self.text.trim_end());
        }
        self.failures.into_result()
    }
}

/// A column: its heading, and what it shows of an item.
pub(super) type Column<'a> = (&'a str, fn(&Value) -> String);

/// These items in rows.
pub(super) fn table<'a>(columns: &[Column], items: impl Iterator<Item = &'a Value>) -> String {
    let headings = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let cells = items.map(|item| columns.iter().map(|(_, cell)| cell(item)).collect());
    let rows: Vec<Vec<String>> = std::iter::once(headings).chain(cells).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns.len()).filter_map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(|row| line(row) + "\n").collect()
}

/// This field in one line: what others wrote must not control the terminal.
pub(super) fn cell(item: &Value, field: &str) -> String {
    match &item[field] {
        Value::Null => "-".to_owned(),
        Value::String(text) => one_line(text),
        Value::Array(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    Value::String(text) => one_line(text),
                    other => other.to_string(),
                })
                .collect();
            if parts.is_empty() { "-".to_owned() } else { parts.join(" ") }
        }
        other => other.to_string(),
    }
}

fn one_line(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        shown.push(if c.is_control() { ' ' } else { c });
    }
    shown
}

/// An amount as people write it: the unit people pay with has no decimals in these currencies.
pub(super) fn money(item: &Value, field: &str) -> String {
    let (amount, currency) = (item[field]["amount"].as_i64(), item[field]["currency"].as_str());
    let (Some(amount), Some(currency)) = (amount, currency) else { return "-".to_owned() };
    match currency {
        "IDR" | "JPY" => format!("{amount} {currency}"),
        _ => format!("{}.{:02} {currency}", amount / 100, amount % 100),
    }
}

/// So many seconds, for people.
pub(super) fn age(item: &Value, field: &str) -> String {
    match item[field].as_i64() {
        None => "-".to_owned(),
        Some(s) if s < 120 => format!("{s} s"),
        Some(s) if s < 7_200 => format!("{} min", s / 60),
        Some(s) if s < 172_800 => format!("{} h", s / 3_600),
        Some(s) => format!("{} days", s / 86_400),
    }
}

/// A time to the second.
pub(super) fn time(item: &Value, field: &str) -> String {
    let text = cell(item, field);
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_its_texts_control_nothing() {
        let items = [
            json!({"id": "a", "error": "no\u{1b}[2J\nwhere"}),
            json!({"id": "long", "error": null}),
        ];
        let columns: [Column; 2] = [("ID", |it| cell(it, "id")), ("ERROR", |it| cell(it, "error"))];
        let expected = "ID    ERROR\na     no [2J where\nlong  -\n";
        assert_eq!(table(&columns, items.iter()), expected);
    }

    #[test]
    fn money_ages_and_times_are_for_people() {
        let item = json!({
            "rupiah": {"amount": 750_000, "currency": "IDR"},
            "dollars": {"amount": 1205, "currency": "USD"},
            "age_s": 7_199, "at": "2036-08-01T09:00:00.123456Z", "sent": ["A", "B"], "none": [],
        });
        assert_eq!([money(&item, "rupiah"), money(&item, "dollars")], ["750000 IDR", "12.05 USD"]);
        assert_eq!([age(&item, "age_s"), age(&item, "none")], ["119 min", "-"]);
        assert_eq!(time(&item, "at"), "2036-08-01T09:00:00Z");
        assert_eq!([cell(&item, "sent"), cell(&item, "none")], ["A B", "-"]);
    }
}
