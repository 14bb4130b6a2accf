//! One service in this process, exactly as its own binary runs it.

use std::error::Error;

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
        ($service:ident, $schema:ident) => {{
            let about = &karcis_schemas::$schema;
            let arguments = [about.full_name().to_owned()].into_iter().chain(flags);
            let run = async |config: $service::Config, process| {
                let listener = config.service.bind().await?;
                $service::run(config, listener, process).await
            };
            karcis_service::run_program(about, arguments, run).await?
        }};
    }
    match name {
        Name::User => run!(karcis_user_service, USER),
        Name::Event => run!(karcis_event_service, EVENT),
        Name::Booking => run!(karcis_booking_service, BOOKING),
        Name::Payment => run!(karcis_payment_service, PAYMENT),
    }
    Ok(())
}
