//! One service in this process, exactly as its own binary runs it.

use std::error::Error;

use karcis_process::{Process, settings};

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// user-service
    User,
    /// event-service
    Event,
    /// booking-service
    Booking,
    /// payment-service
    Payment,
}

/// Reads its settings from these flags and the environment, and serves until asked to stop.
pub(crate) async fn run(name: Name, flags: Vec<String>) -> Result<(), Box<dyn Error>> {
    macro_rules! run {
        ($service:ident, $name:literal) => {{
            let config: $service::Config = settings([$name.to_owned()].into_iter().chain(flags));
            let process = Process::start($name);
            let listener = karcis_http::bind(config.listen).await?;
            $service::run(config, listener, process).await?
        }};
    }
    match name {
        Name::User => run!(karcis_user_service, "user-service"),
        Name::Event => run!(karcis_event_service, "event-service"),
        Name::Booking => run!(karcis_booking_service, "booking-service"),
        Name::Payment => run!(karcis_payment_service, "payment-service"),
    }
    Ok(())
}
