//! What the terminal shows: progress, warnings of services, and where everything is.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use karcis_schemas::{EVENT, SERVICES};

use super::{RunFolder, state::State};
use crate::cli::Admin;

/// Prints a line. A terminal that is gone is no reason to stop.
pub(super) fn print(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", line.as_ref());
}

/// Says where everything is.
pub(super) fn welcome(state: &State, admin: &Admin, folder: &RunFolder, took: Duration) {
    let mut lines = vec![format!("\nKarcis is ready after {:.1} s.\n", took.as_secs_f64())];
    let (services, database_url, kafka) = state.addresses();
    for service in SERVICES {
        lines.push(format!("  {:<17}{}", service.full_name(), services.of(service)));
    }
    lines.push(format!("  {:<17}{database_url}", "PostgreSQL"));
    lines.push(format!("  {:<17}{kafka}", "Kafka"));
    lines.push(format!("  {:<17}{} / {}", "admin", admin.admin_email, admin.admin_password));
    let kept = if folder.ephemeral.is_some() { ", deleted at the end" } else { "" };
    lines.push(format!("  {:<17}{}{kept}", "data and logs", folder.data.display()));
    lines.push(format!("  {:<17}{}", "this in JSON", folder.state_file.display()));
    lines.push(format!("\nTry:  curl {}/events\nCtrl-C stops everything.\n", services.of(&EVENT)));
    print(lines.join("\n"));
}

/// How often a log is looked at.
const TICK: Duration = Duration::from_millis(250);

/// More lines than this in one look are counted, not shown.
const LINES_PER_TICK: usize = 5;

/// Shows the warnings and errors that are written to this log from now on: while all is starting,
/// it is normal to miss each other.
pub(super) async fn show_warnings(service: &'static str, log: PathBuf) {
    let mut position = log.metadata().map_or(0, |log| log.len());
    loop {
        tokio::time::sleep(TICK).await;
        let text = read_lines(&log, &mut position).unwrap_or_default();
        let mut warnings = text.lines().filter(|line| is_warning(line));
        for line in warnings.by_ref().take(LINES_PER_TICK) {
            print(format!("{service}: {line}"));
        }
        match warnings.count() {
            0 => {}
            more => print(format!("{service}: and {more} more in {}", log.display())),
        }
    }
}

/// The whole lines after `position`, which moves on.
fn read_lines(log: &Path, position: &mut u64) -> std::io::Result<String> {
    let length = log.metadata()?.len();
    if length < *position {
        *position = 0; // a new log
    }
    if length == *position {
        return Ok(String::new());
    }
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(*position))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    bytes.truncate(whole);
    *position += whole as u64;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The level stands behind the time, in text as in JSON; a panic has none.
fn is_warning(line: &str) -> bool {
    let start: String = line.chars().take(80).collect();
    ["WARN", "ERROR", " panicked at "].iter().any(|level| start.contains(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_warnings_from_the_rest() {
        for line in [
            "2026-11-24T07:00:00.000000Z  WARN karcis_messaging: the broker is away",
            "2026-11-24T07:00:00.000000Z ERROR karcis_http: unavailable",
            r#"{"timestamp":"2026-11-24T07:00:00.000000Z","level":"WARN","fields":{}}"#,
            "thread 'main' (7) panicked at src/lib.rs:1:1:",
        ] {
            assert!(is_warning(line), "{line}");
        }
        assert!(!is_warning("2026-11-24T07:00:00.000000Z  INFO karcis: user-service starts"));
    }

    #[test]
    fn a_half_written_line_waits_for_its_end() {
        let mut log = tempfile::NamedTempFile::new().expect("a file");
        let mut position = 0;
        log.write_all("one\ntw".as_bytes()).expect("writes");
        assert_eq!(read_lines(log.path(), &mut position).expect("reads"), "one\n");
        log.write_all("o\n".as_bytes()).expect("writes");
        assert_eq!(read_lines(log.path(), &mut position).expect("reads"), "two\n");
        assert_eq!(read_lines(log.path(), &mut position).expect("reads"), "");
    }
}
