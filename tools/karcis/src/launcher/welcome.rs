//! What the terminal shows once all is ready: where everything is.

use std::{
    io::{IsTerminal, stdout},
    time::Duration,
};

use karcis_schemas::{EVENT, SERVICES};

use super::{RunFolder, state::State, terminal::print};
use crate::options::Admin;

/// Prints where everything is, what most people want last.
pub(super) fn welcome(state: &State, admin: &Admin, folder: &RunFolder, took: Duration) {
    let mut lines = vec![format!("\nKarcis is ready after {:.1} s.\n", took.as_secs_f64())];
    let (urls, database, kafka) = state.addresses();
    for service in SERVICES {
        lines.push(format!("  {:<17}{}", service.full_name(), urls.of(service)));
    }
    lines.push(format!("  {:<17}{database}", "PostgreSQL"));
    lines.push(format!("  {:<17}{kafka}", "Kafka"));
    lines.push(format!("  {:<17}{} / {}", "admin", admin.admin_email, admin.admin_password));
    let kept = if folder.ephemeral.is_some() { ", deleted at the end" } else { "" };
    lines.push(format!("  {:<17}{}{kept}", "data and logs", folder.data.display()));
    let file = folder.state_file.display();
    lines.push(format!("  {:<17}{file}, with all passwords", "this in JSON"));
    lines.push(format!("\nTry:  curl {}/events\nCtrl-C stops everything.\n", urls.of(&EVENT)));
    lines.push(format!("{}\n", bold(&format!("Open {} in a browser.", urls.web))));
    print(lines.join("\n"));
}

/// The text so that it stands out on a terminal.
fn bold(text: &str) -> String {
    if stdout().is_terminal() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}
