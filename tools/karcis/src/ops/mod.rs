//! `karcis ops`: what operators see and do, over the services' `/ops` paths.

mod client;
mod login;
mod messages;
mod payments;
mod records;
mod sagas;
mod table;
mod whole_story;

use std::num::NonZeroUsize;

use clap::Subcommand;
use karcis_process::Purpose;
use karcis_schemas::{SERVICES, Service};
use serde_json::json;
use uuid::Uuid;

use client::Client;
pub(crate) use client::OpsError;
use login::Login;
use messages::{DeadLetterCommand, ParkedCommand};
use payments::Settlement;
use records::DifferenceCommand;
use table::Shown;

/// What to do, where, and as whom.
#[derive(clap::Args)]
pub(crate) struct OpsOptions {
    #[command(flatten)]
    login: Login,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    /// What this is for: development allows the password that the documents name
    #[arg(
        long,
        env = "KARCIS_ENVIRONMENT",
        default_value = "production",
        value_name = "PURPOSE",
        global = true,
        hide = true
    )]
    environment: Purpose,
    #[command(subcommand)]
    command: OpsCommand,
}

#[derive(Subcommand)]
enum OpsCommand {
    /// Bookings that need an operator, those first that did not change for the longest time
    Stuck {
        /// All that wait for something, also those that will go on by themselves
        #[arg(long)]
        all: bool,
        /// Those in this stage: reserving, awaiting, cancelling, confirming, releasing, refunding
        #[arg(long, value_name = "STAGE")]
        stage: Option<String>,
        /// Those that did not change for so many seconds
        #[arg(long, value_name = "SECONDS")]
        older_than: Option<u32>,
        #[command(flatten)]
        limit: Limit,
    },
    /// A booking's whole story, and what it waits for
    Why { booking: Uuid },
    /// Send what a booking waits for an answer to once more
    Resume {
        booking: Uuid,
        #[command(flatten)]
        why: Why,
    },
    /// Cancel a booking as its buyer would, whatever the refund window
    Cancel {
        booking: Uuid,
        #[command(flatten)]
        why: Why,
    },
    /// What the payment provider left open: attempts without an outcome, refunds that it refuses
    Unknown {
        /// Attempts that began so many seconds ago [default: 10]
        #[arg(long, value_name = "SECONDS")]
        older_than: Option<u32>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Record what the provider says of what it left open, or what was done by hand
    Settle {
        booking: Uuid,
        outcome: Settlement,
        /// Where this can be looked up, such as the provider's own id of it
        #[arg(long, value_name = "TEXT")]
        reference: String,
        #[command(flatten)]
        why: Why,
    },
    /// Messages that a service could not handle: list, show, redrive, discard
    DeadLetters {
        #[command(subcommand)]
        command: Option<DeadLetterCommand>,
        #[command(flatten)]
        of: Of,
    },
    /// Messages that the broker did not take: list, show, resend, discard
    Parked {
        #[command(subcommand)]
        command: Option<ParkedCommand>,
        #[command(flatten)]
        of: Of,
    },
    /// What the reconcilers found: stock that does not add up, answers that contradict, the provider's
    /// ledger; and to close one
    Differences {
        #[command(subcommand)]
        command: Option<DifferenceCommand>,
        /// Those too that are gone
        #[arg(long)]
        with_gone: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Who did what, when and why
    Audit {
        #[command(flatten)]
        of: Of,
    },
    /// An access token, to be used as KARCIS_TOKEN for a quarter of an hour
    Token,
}

/// Why it is done.
#[derive(clap::Args)]
struct Why {
    /// Why, for those who read the audit
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// How much is listed.
#[derive(clap::Args)]
struct Limit {
    /// How many at most
    #[arg(long, default_value = "100", value_name = "COUNT")]
    limit: NonZeroUsize,
}

impl Limit {
    fn get(&self) -> usize {
        self.limit.get()
    }
}

/// Which messages or acts.
#[derive(clap::Args)]
struct Of {
    /// Of this service only: user, event, booking or payment
    #[arg(long, value_parser = service, value_name = "SERVICE")]
    service: Option<&'static Service>,
    #[command(flatten)]
    limit: Limit,
}

impl Of {
    /// This service, or all of them.
    fn services(&self) -> Vec<&'static Service> {
        self.service.map_or(SERVICES.to_vec(), |service| vec![service])
    }
}

fn service(name: &str) -> Result<&'static Service, String> {
    let found = SERVICES.into_iter().find(|service| service.name == name);
    let names = || SERVICES.map(|service| service.name).join(", ");
    found.ok_or_else(|| format!("give one of {}", names()))
}

/// Does what the command line says, and prints what came of it.
pub(crate) async fn ops(options: OpsOptions) -> Result<(), OpsError> {
    let OpsOptions { login, json, environment: _, command } = options;
    let client = Client::log_in(login).await?;
    let shown = match command {
        OpsCommand::Stuck { all, stage, older_than, limit } => {
            sagas::stuck(&client, all, stage, older_than, limit.get()).await?
        }
        OpsCommand::Why { booking } => whole_story::why(&client, booking).await?,
        OpsCommand::Resume { booking, why } => sagas::resume(&client, booking, &why).await?,
        OpsCommand::Cancel { booking, why } => sagas::cancel(&client, booking, &why).await?,
        OpsCommand::Unknown { older_than, limit } => {
            payments::unknown(&client, older_than, limit.get()).await?
        }
        OpsCommand::Settle { booking, outcome, reference, why } => {
            payments::settle(&client, booking, outcome, &reference, &why).await?
        }
        OpsCommand::DeadLetters { command, of } => {
            messages::dead_letters(&client, command, &of).await?
        }
        OpsCommand::Parked { command, of } => messages::parked(&client, command, &of).await?,
        OpsCommand::Differences { command: None, with_gone, of } => {
            records::differences(&client, with_gone, &of).await
        }
        OpsCommand::Differences { command: Some(command), .. } => {
            records::close(&client, command).await?
        }
        OpsCommand::Audit { of } => records::audit(&client, &of).await,
        OpsCommand::Token => {
            let token = client.token().await;
            Shown::new(token.clone(), json!({"access_token": token}))
        }
    };
    shown.print(json)
}
