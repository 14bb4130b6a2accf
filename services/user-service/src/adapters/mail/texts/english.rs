//! What e-mails say in English.

use chrono::DateTime;
use chrono_tz::Tz;
use karcis_kernel::Money;

use super::{Label, Words, digits};
use crate::domain::{AccountMailKind, NotificationKind};

pub(super) struct English;

impl Words for English {
    fn tag(&self) -> &'static str {
        "en"
    }

    fn hello(&self, name: Option<&str>) -> String {
        match name {
            Some(name) => format!("Hello {name},"),
            None => "Hello,".to_owned(),
        }
    }

    fn time(&self, at: &DateTime<Tz>) -> String {
        format!("{} ({})", at.format("%A, %-d %B %Y, %H:%M"), at.timezone().name())
    }

    fn money(&self, money: Money) -> String {
        format!("{} {}", money.currency, digits(money, ',', '.'))
    }

    fn label(&self, label: Label) -> &'static str {
        match label {
            Label::Event => "Event",
            Label::Date => "Date",
            Label::Venue => "Venue",
            Label::Tickets => "Tickets",
            Label::Total => "Total",
            Label::Booking => "Your booking's number",
        }
    }

    fn when_booked(&self, label: Label) -> String {
        format!("{} when you booked", self.label(label))
    }

    fn now(&self, label: Label) -> String {
        format!("{} now", self.label(label))
    }

    fn see_booking(&self) -> &'static str {
        "see your booking"
    }

    fn ticket(&self) -> &'static str {
        "ticket"
    }

    fn subject(&self, kind: &NotificationKind) -> &'static str {
        match kind {
            NotificationKind::Reserved { .. } => "Your tickets are held",
            NotificationKind::Confirmed { .. } => "Your tickets",
            NotificationKind::EventChanged { .. } => "Your event has changed",
            NotificationKind::Rejected { .. } => "No tickets this time",
            NotificationKind::Cancelled { .. } => "Your booking is cancelled",
        }
    }

    fn as_agreed_subject(&self) -> &'static str {
        "Your event takes place as announced"
    }

    fn reserved(&self, total: &str, pay_by: &str) -> String {
        format!(
            "your tickets are held for you: open your booking and pay {total} until {pay_by}. Tickets that \
             are not paid in time go back on sale, and you are charged nothing."
        )
    }

    fn confirmed(&self) -> &'static str {
        "your booking is confirmed: the tickets are yours."
    }

    fn show_codes(&self) -> &'static str {
        "What to do next: open your booking to find your tickets, and show each one's code at the door. \
         Anyone who knows a code can use it, so keep it to yourself."
    }

    fn show_these_codes(&self) -> &'static str {
        "What to do next: show each ticket's code at the door. Anyone who knows a code can use it, so keep \
         this e-mail to yourself."
    }

    fn event_changed(&self) -> &'static str {
        "the event of your booking is not as it was when you booked."
    }

    fn as_agreed(&self) -> &'static str {
        "the event of your booking takes place as it was announced when you booked."
    }

    fn refundable_until(&self, time: &str) -> String {
        format!(
            "Your booking stays as it is. If you cannot come, cancel it until {time}, and all that you paid \
             goes back to you."
        )
    }

    fn cancellable_until(&self, time: &str) -> String {
        format!("Your booking stays as it is. If you cannot come, you may cancel it until {time}.")
    }

    fn rejected(&self, reason: &str) -> String {
        format!("we could not book your tickets: {reason}.")
    }

    fn look_again(&self) -> &'static str {
        "You are charged nothing. What to do next: look at the event again, it may have other tickets for \
         you."
    }

    fn cancelled(&self, reason: &str) -> String {
        format!("your booking is cancelled: {reason}.")
    }

    fn organiser_says(&self, text: &str) -> String {
        format!("The organiser says: “{text}”")
    }

    fn refunded(&self, money: &str) -> String {
        format!(
            "{money} goes back the way it came; your bank may take some days. There is nothing you have to \
             do."
        )
    }

    fn not_charged(&self) -> &'static str {
        "You are charged nothing."
    }

    fn refunded_if_charged(&self) -> &'static str {
        "If you were charged anything, all of it goes back the way it came; your bank may take some days. \
         There is nothing you have to do."
    }

    fn reason(&self, word: &str) -> &'static str {
        match word {
            "sold_out" => "they are sold out",
            "sales_closed" => "they are not on sale now",
            "event_not_found" => "the event is not on sale any more",
            "event_cancelled" => "the event does not take place",
            "price_changed" => "their price has changed since you looked",
            "over_limit" => "one booking may not have so many",
            "too_many_holds" => "you have other bookings for this event that are not paid yet",
            "payment_failed" => "the payment failed",
            "payment_expired" => "it was not paid in time",
            "cancelled_by_buyer" => "as you asked",
            "hold_lost" => "the seats could not be kept",
            _ => "it could not be completed",
        }
    }

    fn open_booking(&self) -> &'static str {
        "Open your booking"
    }

    fn confirm_address(&self) -> &'static str {
        "Confirm this address"
    }

    fn choose_password(&self) -> &'static str {
        "Choose a new password"
    }

    fn find_event(&self) -> &'static str {
        "Find an event"
    }

    fn account_subject(&self, kind: AccountMailKind) -> &'static str {
        match kind {
            AccountMailKind::VerifyEmail => "Is this your address?",
            AccountMailKind::ResetPassword => "A new password",
            AccountMailKind::AddressChanged => "Your account has another address",
            AccountMailKind::Welcome => "Welcome to Karcis",
        }
    }

    fn verify_email(&self, token: &str) -> String {
        format!(
            "somebody, we hope you, gave this address to Karcis. To show that it is yours, enter this code \
             within 24 hours:\n\n{token}\n\nIf it was not you, there is nothing you have to do."
        )
    }

    fn reset_password(&self, token: &str) -> String {
        format!(
            "somebody, we hope you, wants to choose a new password for your account. To do so, enter this \
             code within 30 minutes:\n\n{token}\n\nIf it was not you, there is nothing you have to do: \
             without this code nobody can change it. Give it to nobody."
        )
    }

    fn address_changed(&self) -> &'static str {
        "the account that had this e-mail address has another one now, and everybody else who was logged in \
         to it is logged out. If it was not you, somebody knows your password: answer this e-mail at once."
    }

    fn welcome(&self) -> &'static str {
        "this address is confirmed: your tickets come to it, with the codes that let you in, and so does \
         everything that changes about them.\n\nEach of your bookings has a page that shows where it stands, \
         what you get back if you cancel, and its tickets, also without a network."
    }
}
