//! How fast bookings travel: an idle stack's latency, and one hot event's throughput.
//!
//! `cargo bench -p karcis-tests --bench bookings` starts everything as `cargo run` does, commits reaching the disk,
//! and drives it from outside on the same machine. `BENCH_BOOKINGS` sets how many bookings the hot
//! event gets (default 10,000), `BENCH_BUYERS` how many buyers book at once (default 256).

mod stack;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use karcis_testkit::eventually;
use serde_json::{Value, json};
use stack::{Event, Stack, setting, show};

const IDLE_BOOKINGS: usize = 200;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let mut stack = Stack::start(&[("KARCIS_MAX_HOLDS", "1000000")]).await;
        let event = stack.event().await;
        for _ in 0..50 {
            stack.book_and_pay(&event).await;
        }
        let one_at_a_time = stack.idle(&event).await;
        let at_once = stack.hot(&event).await;
        println!("many at once / one at a time: {:.0}x", at_once / one_at_a_time);
        stack.stop();
    });
}

/// One booking as its buyer sees it.
struct Timed {
    payable: Duration,
    confirmed: Duration,
}

impl Stack {
    /// Books until payable, and pays; when it is confirmed is left to the caller.
    async fn book_and_pay(&self, event: &Event) -> (String, String, Duration, Instant) {
        let token = self.token();
        let start = Instant::now();
        let booking = self.post(&token, "booking", "/booking/create", &event.order()).await;
        let payable = start.elapsed();
        assert_eq!(booking["status"], "awaiting_payment", "{booking}");
        let id = booking["booking_id"].as_str().expect("a booking has an id").to_owned();
        let start = Instant::now();
        let payment = json!({"booking_id": id, "method": "tok_approved"});
        self.post(&token, "payment", "/payment/process", &payment).await;
        (token, id, payable, start)
    }

    async fn idle_booking(&self, event: &Event) -> Timed {
        let (token, id, payable, start) = self.book_and_pay(event).await;
        let url = self.url("booking", &format!("/bookings/{id}"));
        loop {
            let request = self.http.get(&url).bearer_auth(&token);
            let booking: Value =
                request.send().await.expect("an answer").json().await.expect("JSON");
            if booking["status"] == "confirmed" {
                return Timed { payable, confirmed: start.elapsed() };
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }

    /// One buyer after the other. Returns the bookings confirmed in a second.
    async fn idle(&self, event: &Event) -> f64 {
        let (mut payable, mut confirmed) = (Vec::new(), Vec::new());
        for _ in 0..IDLE_BOOKINGS {
            let timed = self.idle_booking(event).await;
            payable.push(timed.payable);
            confirmed.push(timed.confirmed);
        }
        let total: Duration = payable.iter().chain(&confirmed).sum();
        show("create -> awaiting_payment", payable);
        show("pay -> confirmed", confirmed);
        IDLE_BOOKINGS as f64 / total.as_secs_f64()
    }

    /// Many buyers at once. Returns the bookings confirmed in a second.
    async fn hot(&mut self, event: &Event) -> f64 {
        let (bookings, buyers) = (setting("BENCH_BOOKINGS", 10_000), setting("BENCH_BUYERS", 256));
        let before = self.confirmed().await;
        let (cpu_before, start) = (self.cpu(), Instant::now());
        let taken = Arc::new(AtomicUsize::new(0));
        let buyer = || async {
            while taken.fetch_add(1, Ordering::Relaxed) < bookings {
                self.book_and_pay(event).await;
            }
        };
        futures_util::future::join_all((0..buyers).map(|_| buyer())).await;
        eventually(async || match self.confirmed().await - before {
            all if all == bookings as i64 => Ok(()),
            some => Err(format!("{some} of {bookings} confirmed")),
        })
        .within(Duration::from_secs(60))
        .await;
        let (took, cpu) = (start.elapsed(), self.cpu());
        let rate = bookings as f64 / took.as_secs_f64();
        let each =
            |name: &str| (cpu[name] - cpu_before[name]).as_secs_f64() * 1_000.0 / bookings as f64;
        println!(
            "one hot event, {buyers} buyers at once: {rate:.0} confirmed/s, {:.2} ms of CPU each",
            each("karcis")
        );
        for name in cpu.keys().filter(|name| *name != "karcis") {
            println!("  {name}: {:.2} ms", each(name));
        }
        rate
    }

    async fn confirmed(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM bookings.booking WHERE stage = 'confirmed'")
            .fetch_one(&self.database)
            .await
            .expect("bookings can be counted")
    }

    /// The processor time of each process with its children; of `karcis`, of everything.
    fn cpu(&self) -> BTreeMap<String, Duration> {
        let processes: Vec<(u32, u32, u64)> = std::fs::read_dir("/proc")
            .expect("/proc is there")
            .filter_map(|entry| stat(entry.ok()?.file_name().to_str()?))
            .collect();
        let pids = self.pids.as_object().expect("the state names processes");
        let cpu = pids.iter().map(|(name, pid)| {
            let mut tree = vec![pid.as_u64().and_then(|pid| pid.try_into().ok()).expect("a pid")];
            let mut ticks = 0;
            while let Some(parent) = tree.pop() {
                ticks += processes.iter().find(|(pid, ..)| *pid == parent).map_or(0, |own| own.2);
                tree.extend(processes.iter().filter(|own| own.1 == parent).map(|own| own.0));
            }
            // Linux counts in hundredths of a second, whatever the kernel's own tick.
            (name.clone(), Duration::from_millis(ticks * 10))
        });
        cpu.collect()
    }
}

/// Pid, parent and ticks of processor time, see proc_pid_stat(5).
fn stat(pid: &str) -> Option<(u32, u32, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let parent = number(1)?.try_into().ok()?;
    Some((pid.parse().ok()?, parent, number(11)? + number(12)?))
}
