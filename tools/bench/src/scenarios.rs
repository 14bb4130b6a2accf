//! The loads, one after the other, each from rest to rest.

use std::{collections::HashMap, thread::available_parallelism, time::Duration};

use chrono::{DateTime, Utc};
use karcis_fleet::{When, violations};
use karcis_schemas::SERVICES;
use sqlx::AssertSqlSafe;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    BenchError, Options, Report, buyers,
    buyers::Purchase,
    floor::floor,
    growth::grow,
    postgres::{self, scans, written},
    processes, reads,
    report::{Grown, Idle, Load, Percentiles},
    stack::{Event, Stack},
    stadium,
};

/// Bookings and seconds that are left out at the beginning.
const WARM_UP: (usize, Duration) = (50, Duration::from_secs(5));
const IDLE_BOOKINGS: usize = 200;
/// A table of more rows is large.
const LARGE: i64 = 10_000;
/// Of the load on many events.
const MANY: usize = 200;
/// A session of Postgres tells what it did when it has been idle for a second.
const COUNTED_AFTER: Duration = Duration::from_millis(1_500);
/// All that is under way has to end within this.
const AT_REST_WITHIN: Duration = Duration::from_secs(120);

/// How many steps are told of: besides the loads, the fleet, one buyer, reads and the books; and of a fleet of its
/// own, the floor, the stadium, and growth with its load.
pub(crate) fn steps(options: &Options) -> usize {
    let loads = 2 * options.buyers.len() + usize::from(options.offered > 0);
    let own = if options.grown > 0 { 4 } else { 2 };
    4 + loads + if options.target.is_none() { own } else { 0 }
}

pub(crate) async fn run(
    stack: &Stack,
    options: &Options,
    tell: &mut impl FnMut(&str),
) -> Result<Report, BenchError> {
    let events = stack.events(MANY).await?;
    let (start, busy, used) = (Instant::now(), processes::machine(), used(stack));
    tell("one buyer after the other");
    let idle = idle(stack, &events[0]).await?;
    let loads = loads(stack, &events, options, tell).await?;
    rest(stack).await?;
    tell("reads");
    let reads = reads::read(stack, &events[0]).await?;
    let grown = if stack.is_own() && options.grown > 0 {
        grown(stack, &events[..1], options, &loads, tell).await?
    } else {
        None
    };
    let cores = available_parallelism().map_or(1, usize::from);
    let others = (processes::machine() - busy).saturating_sub(self::used(stack) - used);
    let disturbed = others.as_secs_f64() / (start.elapsed().as_secs_f64() * cores as f64);
    let floor = if stack.is_own() {
        // After the machine was looked at: the time of its sessions is forgotten when they end.
        tell("the floor");
        Some(floor(stack, &events[0], options.seconds).await?)
    } else {
        None
    };
    tell("the books");
    rest(stack).await?;
    balance(stack).await?;
    let stadium = if stack.is_own() {
        tell("a stadium");
        Some(stadium::drain(stack, options.waiting).await?)
    } else {
        None
    };
    Ok(Report { cores, disturbed, idle, loads, reads, floor, grown, stadium })
}

async fn loads(
    stack: &Stack,
    events: &[Event],
    options: &Options,
    tell: &mut impl FnMut(&str),
) -> Result<Vec<Load>, BenchError> {
    let mut loads = Vec::new();
    for buyers in &options.buyers {
        for (name, events) in [(hot(*buyers), &events[..1]), (many(*buyers), events)] {
            tell(&name);
            let buy = async |until| buyers::buy(stack, events, *buyers, until).await;
            loads.push(load(stack, name, options.seconds, buy).await?);
        }
    }
    if options.offered > 0 {
        let name = format!("one hot event, {} bookings a second offered", options.offered);
        tell(&name);
        let offer = async |until| buyers::offer(stack, &events[0], options.offered, until).await;
        loads.push(load(stack, name, options.seconds, offer).await?);
    }
    Ok(loads)
}

fn hot(buyers: usize) -> String {
    format!("one hot event, {buyers} buyers")
}

fn many(buyers: usize) -> String {
    format!("{MANY} events, {buyers} buyers")
}

/// The last of the loads on one hot event, once more on large tables.
async fn grown(
    stack: &Stack,
    event: &[Event],
    options: &Options,
    loads: &[Load],
    tell: &mut impl FnMut(&str),
) -> Result<Option<Grown>, BenchError> {
    let Some(buyers) = options.buyers.last() else { return Ok(None) };
    let Some(small) = loads.iter().rfind(|load| load.name == hot(*buyers)) else { return Ok(None) };
    tell(&format!("{} bookings more", options.grown));
    grow(stack, options.grown).await?;
    let name = format!("{}, with {} bookings more", small.name, options.grown);
    tell(&name);
    let buy = async |until| buyers::buy(stack, event, *buyers, until).await;
    let load = load(stack, name, options.seconds, buy).await?;
    Ok(Some(Grown::of(options.grown, small, load)))
}

/// Processor time of the fleet and of this process.
fn used(stack: &Stack) -> Duration {
    processes::cpu(stack.pids()).into_values().sum::<Duration>() + processes::own()
}

async fn idle(stack: &Stack, event: &Event) -> Result<Idle, BenchError> {
    let token = stack.token()?;
    for _ in 0..WARM_UP.0 {
        one(stack, event, &token).await?;
    }
    let (begin, mut purchases) = (Utc::now(), vec![]);
    for _ in 0..IDLE_BOOKINGS {
        purchases.push(one(stack, event, &token).await?);
    }
    let confirmed = confirmed_since(stack, begin).await?;
    Ok(Idle {
        created: Percentiles::of(purchases.iter().map(|purchase| purchase.created).collect()),
        confirmed: Percentiles::of(took(&purchases, &confirmed)),
    })
}

/// A purchase until it is confirmed, so that the next one has the fleet for itself.
async fn one(stack: &Stack, event: &Event, token: &str) -> Result<Purchase, BenchError> {
    let purchase = buyers::purchase(stack, event, token, Instant::now()).await?;
    let confirmed =
        "SELECT EXISTS (SELECT FROM bookings.booking WHERE id = $1 AND stage = 'confirmed')";
    while !sqlx::query_scalar(confirmed).bind(purchase.booking).fetch_one(&stack.database).await? {
        sleep(Duration::from_millis(2)).await;
    }
    Ok(purchase)
}

/// What buys until then, for so long after a warm-up.
async fn load(
    stack: &Stack,
    name: String,
    seconds: u64,
    buy: impl AsyncFnOnce(Instant) -> Result<Vec<Purchase>, BenchError>,
) -> Result<Load, BenchError> {
    rest(stack).await?;
    let before = written(&stack.database).await?;
    let scanned = scans(&stack.database, -1).await?;
    let begin = Utc::now();
    let start = Instant::now() + WARM_UP.1;
    let window = async {
        sleep(WARM_UP.1).await;
        let (from, cpu) = (Utc::now(), processes::cpu(stack.pids()));
        sleep(Duration::from_secs(seconds)).await;
        (from, Utc::now(), cpu, processes::cpu(stack.pids()))
    };
    let (purchases, (from, to, cpu_before, cpu)) =
        tokio::join!(buy(start + Duration::from_secs(seconds)), window);
    let mut purchases = purchases?;
    let bookings = purchases.len();
    purchases.retain(|purchase| purchase.due >= start);
    rest(stack).await?;
    let written: postgres::Written = written(&stack.database).await? - before;
    let scans = scans(&stack.database, LARGE).await?;
    let more = |(table, count)| {
        let more = count - scanned.get(&table).unwrap_or(&0);
        (more > 0).then_some((table, more))
    };
    let confirmed = confirmed_since(stack, begin).await?;
    let counted: Vec<DateTime<Utc>> =
        confirmed.values().copied().filter(|at| (from..to).contains(at)).collect();
    let mut throughput = vec![0; seconds as usize];
    for at in &counted {
        let second = (*at - from).num_seconds() as usize;
        throughput[second.min(seconds as usize - 1)] += 1;
    }
    let each = |name: &String, cpu: &Duration| {
        let spent = *cpu - cpu_before.get(name).copied().unwrap_or_default();
        (name.clone(), spent.as_secs_f64() * 1_000.0 / counted.len().max(1) as f64)
    };
    Ok(Load {
        name,
        confirmed_per_s: counted.len() as f64 / (to - from).as_seconds_f64(),
        throughput,
        created: Percentiles::of(purchases.iter().map(|purchase| purchase.created).collect()),
        paid: Percentiles::of(purchases.iter().map(|purchase| purchase.paid).collect()),
        confirmed: Percentiles::of(took(&purchases, &confirmed)),
        cpu_ms: cpu.iter().map(|(name, cpu)| each(name, cpu)).collect(),
        peak_mib: processes::peak_mib(stack.pids()),
        bookings,
        written,
        scans: scans.into_iter().filter_map(more).collect(),
    })
}

/// When each booking was confirmed, since then.
async fn confirmed_since(
    stack: &Stack,
    since: DateTime<Utc>,
) -> Result<HashMap<Uuid, DateTime<Utc>>, BenchError> {
    let confirmed =
        "SELECT booking_id, at FROM bookings.saga_log WHERE to_stage = 'confirmed' AND at >= $1";
    let rows: Vec<(Uuid, DateTime<Utc>)> =
        sqlx::query_as(confirmed).bind(since).fetch_all(&stack.database).await?;
    Ok(rows.into_iter().collect())
}

/// How long each took from its payment until it was confirmed; all clocks are this machine's.
fn took(purchases: &[Purchase], confirmed: &HashMap<Uuid, DateTime<Utc>>) -> Vec<Duration> {
    let took = purchases.iter().filter_map(|of| Some(*confirmed.get(&of.booking)? - of.sent));
    took.map(|took| took.to_std().unwrap_or_default()).collect()
}

/// Waits until nothing is under way, and Postgres has counted it.
async fn rest(stack: &Stack) -> Result<(), BenchError> {
    let outboxes =
        SERVICES.map(|service| format!("(SELECT count(*) FROM {}.outbox)", service.schema.name));
    // What is under way has a timer. `OFFSET 0` looks each up, in place of reading a million bookings.
    let open = format!(
        "SELECT {} + (SELECT count(*) FROM bookings.timer CROSS JOIN LATERAL (
             SELECT stage FROM bookings.booking WHERE id = booking_id OFFSET 0) AS booking
             WHERE stage NOT IN ('confirmed', 'cancelled', 'rejected'))",
        outboxes.join(" + ")
    );
    let until = Instant::now() + AT_REST_WITHIN;
    loop {
        let open: i64 =
            sqlx::query_scalar(AssertSqlSafe(open.clone())).fetch_one(&stack.database).await?;
        if open == 0 {
            break;
        }
        if Instant::now() > until {
            return Err(BenchError::Books(format!("{open} bookings and messages are under way")));
        }
        sleep(Duration::from_millis(200)).await;
    }
    sleep(COUNTED_AFTER).await;
    Ok(())
}

/// Whether all that must hold at rest holds.
async fn balance(stack: &Stack) -> Result<(), BenchError> {
    let broken = violations(&stack.database, When::Quiet).await?;
    match broken.first() {
        None => Ok(()),
        Some(first) => Err(BenchError::Books(format!("rule {}: {}", first.rule, first.what))),
    }
}
