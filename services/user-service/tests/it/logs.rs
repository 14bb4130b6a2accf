//! Captures the service's log lines, so that tests can read them.

use std::{
    io,
    sync::{Mutex, Once},
};

use tracing_subscriber::fmt::MakeWriter;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Capture;

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Capture {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// From now on, the log lines of all tests are captured.
pub(crate) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(Capture);
        lines.with_max_level(tracing::Level::DEBUG).init();
    });
}

/// The lines so far that contain all of these.
pub(crate) fn lines_with(words: &[&str]) -> Vec<String> {
    let lines = LINES.lock().unwrap();
    let lines = String::from_utf8_lossy(&lines);
    let chosen = lines.lines().filter(|line| words.iter().all(|word| line.contains(word)));
    chosen.map(str::to_owned).collect()
}
