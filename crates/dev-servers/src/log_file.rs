//! A child's output: kept in a file, and read back for its last lines.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A longer log is begun again at the next start; one older log is kept.
const LONG_BYTES: u64 = 16 * 1024 * 1024;

/// What one run of a child writes to its log.
pub struct LogFile {
    path: PathBuf,
    start: u64,
}

impl LogFile {
    /// Sends both outputs of `command` to the end of the log at `path`, which its owner alone can read.
    pub fn attach(path: &Path, command: &mut Command) -> io::Result<Self> {
        if path.metadata().is_ok_and(|log| log.len() > LONG_BYTES) {
            std::fs::rename(path, path.with_extension("log.old"))?;
        }
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let start = file.metadata()?.len();
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Ok(Self { path: path.to_owned(), start })
    }

    /// What this run has written.
    pub fn text(&self) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.start))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
    }

    /// Its last lines, or those before a panic's backtrace, and where the rest is.
    pub fn last_lines(&self) -> String {
        let text = self.text();
        let text = text.split("stack backtrace:").next().unwrap_or_default();
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(8)..].join("\n  ");
        format!("see {}\n  {last}", self.path.display())
    }
}
