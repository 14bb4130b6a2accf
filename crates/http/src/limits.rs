//! How often an account or a client may ask: a bucket for each, in bounded memory.

use std::{
    hash::Hash,
    num::NonZeroU32,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::HashMapStateStore,
};
use karcis_kernel::UserId;
use metrics::{Counter, counter, describe_counter};

use crate::{ClientIp, Problem};

const LIMITED: &str = "karcis_requests_limited_total";

/// At most so many accounts or clients are remembered by a limit, each in some 50 bytes.
const MAX_KEYS: usize = 50_000;
/// How often those are forgotten whose bucket is full again.
const FORGET_EVERY: Duration = Duration::from_secs(10);
const MAX_COUNT: u32 = 1_000_000;
const MAX_PERIOD_S: u64 = 24 * 60 * 60;

/// A number of requests and the time in which as many more become free, such as `600/30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: NonZeroU32,
    period: Duration,
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (count, period) = text.split_once('/')?;
            let count = count.parse().ok().filter(|count: &NonZeroU32| count.get() <= MAX_COUNT)?;
            let number = period.trim_end_matches(['s', 'm', 'h']);
            let unit_s = match &period[number.len()..] {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                _ => return None,
            };
            let seconds = number.parse::<u64>().ok()?.checked_mul(unit_s)?;
            let period = Duration::from_secs(seconds);
            (1..=MAX_PERIOD_S).contains(&seconds).then_some(Self { count, period })
        };
        parse().ok_or("give a number of requests and a time, such as 600/30s, 60/1m or 1000/1h")
    }
}

/// Which requests are limited, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct LimitsConfig {
    /// `off` limits no requests.
    #[arg(long, env = "KARCIS_RATE_LIMITS", default_value = "on", value_name = "on|off",
        value_parser = is_on, action = clap::ArgAction::Set, overrides_with = "rate_limits")]
    pub rate_limits: bool,
    /// How many requests an account may make at once, and the time in which as many more become free.
    #[arg(
        long,
        env = "KARCIS_RATE_LIMIT_PER_ACCOUNT",
        default_value = "600/30s",
        value_name = "RATE"
    )]
    pub rate_limit_per_account: Rate,
    /// The same for requests without a login, by network address: a whole office may have one.
    #[arg(
        long,
        env = "KARCIS_RATE_LIMIT_PER_CLIENT_IP",
        default_value = "3000/30s",
        value_name = "RATE"
    )]
    pub rate_limit_per_client_ip: Rate,
}

fn is_on(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("give on or off"),
    }
}

impl LimitsConfig {
    /// A limit of this rate for each key, unless limits are off. Refused requests are counted under
    /// `name`.
    pub fn limit<K: Hash + Eq + Clone>(&self, name: &'static str, rate: Rate) -> RateLimit<K> {
        describe_counter!(LIMITED, "Requests that were refused because there were too many.");
        let limited = counter!(LIMITED, "limit" => name);
        limited.increment(0);
        RateLimit(self.rate_limits.then(|| Arc::new(Limiter::new(rate, limited))))
    }
}

/// How many requests a service takes, of each account and each client.
#[derive(Clone)]
pub(crate) struct Limits {
    pub per_account: RateLimit<UserId>,
    pub per_client_ip: RateLimit<ClientIp>,
}

impl Limits {
    pub(crate) fn new(config: &LimitsConfig) -> Self {
        Self {
            per_account: config.limit("account", config.rate_limit_per_account),
            per_client_ip: config.limit("client_ip", config.rate_limit_per_client_ip),
        }
    }
}

/// A limit for each key. Clones share what they count.
pub struct RateLimit<K: Hash + Eq + Clone>(Option<Arc<Limiter<K>>>);

impl<K: Hash + Eq + Clone> Clone for RateLimit<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// Counts a request; 429 `too-many-requests` if the key has no more at this time.
    pub fn admit(&self, key: &K) -> Result<(), Problem> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.admit(key).map_err(|wait| {
            limiter.limited.increment(1);
            let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
            Problem::too_many_requests(seconds.max(1))
        })
    }
}

type Buckets<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

struct Limiter<K: Hash + Eq + Clone> {
    quota: Quota,
    buckets: RwLock<Buckets<K>>,
    /// When idle keys were last forgotten.
    forgot_at: Mutex<Instant>,
    limited: Counter,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(rate: Rate, limited: Counter) -> Self {
        let each = rate.period / rate.count.get();
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(rate.count));
        let quota = quota.allow_burst(rate.count);
        let buckets = RwLock::new(RateLimiter::hashmap(quota));
        Self { quota, buckets, forgot_at: Mutex::new(Instant::now()), limited }
    }

    /// Takes one from the key's bucket, or says how long it stays empty.
    fn admit(&self, key: &K) -> Result<(), Duration> {
        if self.is_time_to_forget() {
            self.forget();
        }
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        let admitted = buckets.check_key(key);
        admitted.map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    fn is_time_to_forget(&self) -> bool {
        let is_full = self.len() >= MAX_KEYS;
        let mut forgot_at = self.forgot_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = is_full || forgot_at.elapsed() >= FORGET_EVERY;
        if is_due {
            *forgot_at = Instant::now();
        }
        is_due
    }

    /// Forgets the keys whose bucket is full. If that is not enough, all: a flood from more addresses
    /// than this is not stopped by counting each, and must not fill the memory.
    fn forget(&self) {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        buckets.retain_recent();
        if buckets.len() > MAX_KEYS / 2 {
            *buckets = RateLimiter::hashmap(self.quota);
        }
        buckets.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(rate: &str) -> Limiter<u32> {
        Limiter::new(rate.parse().expect("it is a rate"), Counter::noop())
    }

    #[test]
    fn a_rate_is_a_number_of_requests_and_a_time() {
        for (text, rate) in [
            ("1/1s", Some((1, 1))),
            ("600/30s", Some((600, 30))),
            ("60/1m", Some((60, 60))),
            ("1000000/24h", Some((1_000_000, 86_400))),
            ("1000001/1h", None),
            ("1/25h", None),
            ("0/1s", None),
            ("1/0s", None),
            ("60/m", None),
            ("60/1ms", None),
            ("60/1d", None),
            ("60", None),
            ("", None),
            ("-1/1s", None),
            ("1/18446744073709551615h", None),
        ] {
            let parsed =
                text.parse().ok().map(|rate: Rate| (rate.count.get(), rate.period.as_secs()));
            assert_eq!(parsed, rate, "{text}");
        }
    }

    #[test]
    fn a_bucket_refills_over_time_and_is_its_keys_own() {
        let limiter = limiter("3/1h");
        for key in [1, 2] {
            assert!((0..3).all(|_| limiter.admit(&key).is_ok()), "three at once");
            let wait = limiter.admit(&key).expect_err("the bucket is empty");
            let a_third = Duration::from_secs(1_200);
            assert!(wait <= a_third && wait > a_third / 2, "{wait:?} until the next");
        }
    }

    #[test]
    fn a_flood_of_keys_fills_no_memory() {
        let limiter = limiter("2/24h");
        for key in 0..200_000 {
            limiter.admit(&key).expect("each asks for the first time");
            assert!(limiter.len() <= MAX_KEYS);
        }
        assert_ne!(limiter.len(), 0);
    }

    #[test]
    fn who_is_idle_is_forgotten_and_who_is_limited_is_not() {
        let limiter = limiter("1000000/1s");
        (0..1_000).for_each(|key| limiter.admit(&key).expect("it is the first"));
        while limiter.len() > 0 {
            limiter.forget();
        }
        let limiter = self::limiter("1/24h");
        limiter.admit(&1).expect("it is the first");
        limiter.forget();
        limiter.admit(&1).expect_err("it has had its one");
    }
}
