//! One service of a fleet, as a task.

use std::{net::TcpListener, pin::Pin};

use clap::Parser;
use karcis_local_stack::schemas::{self, Schema};
use karcis_process::{CancellationToken, Process};
use tokio::{runtime::Handle, task::JoinHandle};

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// user-service.
    User,
    /// event-service.
    Event,
    /// booking-service.
    Booking,
    /// payment-service.
    Payment,
}

type Outcome = Result<(), String>;

macro_rules! service {
    ($service:ident, $flags:expr, $listener:expr, $process:expr) => {{
        let flags = [stringify!($service)].into_iter().chain($flags.iter().map(String::as_str));
        let config = $service::Config::try_parse_from(flags)
            .unwrap_or_else(|error| panic!("{} refuses its flags: {error}", stringify!($service)));
        Box::pin(async move {
            $service::run(config, $listener, $process).await.map_err(|error| error.to_string())
        })
    }};
}

impl Service {
    /// All four.
    pub const ALL: [Self; 4] = [Self::User, Self::Event, Self::Booking, Self::Payment];

    /// Where its tables are.
    pub fn schema(self) -> Schema {
        match self {
            Self::User => schemas::USERS,
            Self::Event => schemas::EVENTS,
            Self::Booking => schemas::BOOKINGS,
            Self::Payment => schemas::PAYMENTS,
        }
    }

    /// Starts it on this runtime.
    pub(super) fn start(
        self,
        flags: &[String],
        listener: TcpListener,
        runtime: &Handle,
    ) -> Running {
        let _inside = runtime.enter();
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime has I/O");
        let stopping = CancellationToken::new();
        let process = Process::embedded(stopping.clone());
        let run: Pin<Box<dyn Future<Output = Outcome> + Send>> = match self {
            Self::User => service!(karcis_user_service, flags, listener, process),
            Self::Event => service!(karcis_event_service, flags, listener, process),
            Self::Booking => service!(karcis_booking_service, flags, listener, process),
            Self::Payment => service!(karcis_payment_service, flags, listener, process),
        };
        Running { service: self, stopping, task: runtime.spawn(run) }
    }
}

/// A service that was started.
pub(super) struct Running {
    service: Service,
    stopping: CancellationToken,
    task: JoinHandle<Outcome>,
}

impl Running {
    /// Whether it ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Asks it to stop and waits; panics if it ended in any other way than in order.
    pub(super) async fn stop(self) {
        let Self { service, stopping, task } = self;
        assert!(
            !task.is_finished() || stopping.is_cancelled(),
            "{service:?} ended: {:?}",
            task.await
        );
        stopping.cancel();
        match task.await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => panic!("{service:?} did not stop in order: {why}"),
            Err(panicked) => panic!("{service:?}: {panicked}"),
        }
    }
}
