//! What comes in floods is logged once a second, and counted all the time.

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use karcis_http::Problem;

/// Log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_flood_of_unavailable_answers_has_a_line_a_second_with_the_number_left_out() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = subscriber.finish();
    let start = Instant::now();
    tracing::subscriber::with_default(subscriber, || {
        while start.elapsed() < Duration::from_millis(2_500) {
            assert_eq!(Problem::unavailable("the database is away").status().as_u16(), 503);
        }
    });
    let seconds = start.elapsed().as_secs() as usize;
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert!((2..=seconds + 1).contains(&lines.len()), "{log}");
    let left_out = |line: &&str| {
        let count = line.split("suppressed=").nth(1).unwrap();
        count.trim().parse::<u64>().unwrap()
    };
    assert!(lines.iter().map(left_out).max().unwrap() > 1_000, "{log}");
    assert!(log.contains("the database is away"), "{log}");
}
