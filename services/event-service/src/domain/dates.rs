//! Whether the dates of an event and of its ticket types fit each other.

use karcis_kernel::Timestamp;

use super::{Details, FieldError, TicketType};

/// A date that does not fit another one.
#[derive(PartialEq, Eq)]
pub(super) struct DateError {
    /// Of the ticket type, among all of the event; `None`: the date is the event's.
    place: Option<usize>,
    field: &'static str,
    /// Says what to do, and both times.
    message: String,
}

impl DateError {
    /// With the ticket type at `index(place)` of a list; with its name, if it is not there.
    pub(super) fn listed(
        self,
        types: &[TicketType],
        index: impl Fn(usize) -> Option<usize>,
    ) -> FieldError {
        let Self { place, field, message } = self;
        let Some(place) = place else { return FieldError::new(field, message) };
        match index(place) {
            Some(index) => FieldError::new(format!("ticket_types[{index}].{field}"), message),
            None => {
                let message = format!("{field} of {:?}: {message}", types[place].name.as_str());
                FieldError::new("ticket_types", message)
            }
        }
    }
}

/// Every date that does not fit.
pub(super) fn date_errors(details: &Details, types: &[TicketType]) -> Vec<DateError> {
    let starts_at = details.starts_at;
    let of_event = |field, message| DateError { place: None, field, message };
    let mut errors = Vec::new();
    if let Some(end) = details.ends_at.filter(|end| *end <= starts_at) {
        let message = format!("give a time after starts_at: {end:?} is not after {starts_at:?}");
        errors.push(of_event("ends_at", message));
    }
    let late = details.refundable_until.filter(|until| *until > starts_at);
    if let Some(until) = late.filter(|_| !details.refundable_after_start) {
        let message = format!(
            "give a time not after starts_at, or refundable_after_start: true; {until:?} is after \
             {starts_at:?}"
        );
        errors.push(of_event("refundable_until", message));
    }
    errors.extend(types.iter().enumerate().filter_map(|(place, ticket_type)| {
        let (field, message) = sales_error(details, ticket_type)?;
        Some(DateError { place: Some(place), field, message })
    }));
    errors
}

/// What is wrong with when a ticket type is on sale, as (field, message).
fn sales_error(details: &Details, of: &TicketType) -> Option<(&'static str, String)> {
    let starts_at = details.starts_at;
    let (limit, last) = match details.ends_at {
        Some(end) if end > starts_at => ("ends_at", end),
        _ => ("starts_at", starts_at),
    };
    match (of.sales_start, of.sales_end) {
        (_, Some(end)) if end > last => {
            Some(("sales_end", format!("give a time not after {limit}: {end:?} is after {last:?}")))
        }
        (Some(start), Some(end)) if start >= end => Some((
            "sales_end",
            format!("give a time after sales_start: {end:?} is not after {start:?}"),
        )),
        (Some(start), None) if start >= starts_at => Some((
            "sales_start",
            format!(
                "give a time before starts_at, or a sales_end after it: {start:?} is not before \
                 {starts_at:?}"
            ),
        )),
        _ => None,
    }
}

/// The dates that a published event cannot be given at `at`: a new start that is past, and that it is over.
pub(super) fn past_errors(
    details: &Details,
    before: Option<&Details>,
    at: Timestamp,
) -> Vec<FieldError> {
    let (starts_at, over_at) = (details.starts_at, details.over_at());
    // A new event may have started, if its end is known: a festival.
    let is_moved = before.map_or(details.ends_at.is_none(), |before| before.starts_at != starts_at);
    let is_ended = before.is_none_or(|before| before.over_at() != over_at)
        // Else it is over when it starts.
        && (details.ends_at.is_some() || !is_moved)
        && starts_at <= over_at;
    [(is_moved, "starts_at", starts_at), (is_ended, "ends_at", over_at)]
        .into_iter()
        .filter(|(is_news, _, date)| *is_news && *date <= at)
        .map(|(_, field, date)| {
            let message = format!("give a time to come: {date:?} is not after {at:?}, now");
            FieldError::new(field, message)
        })
        .collect()
}
