//! Waits until something is true, instead of sleeping.

use std::{
    fmt::Debug,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// How long after a look that found nothing the next one begins.
const PAUSE: Duration = Duration::from_millis(10);

/// How long it looks unless [`Eventually::within`] says otherwise. On a busy machine it may take a
/// consumer group half a minute to form and to read.
const TIMEOUT: Duration = Duration::from_secs(100);

/// Looks again and again until what it sees is as wanted, for up to 100 s: `eventually(look).await`
/// gives the first `Ok` of a look, `eventually(look).is(value).await` waits until it sees `value`.
pub fn eventually<L>(look: L) -> Eventually<L> {
    Eventually { look, timeout: TIMEOUT }
}

/// What to look at, and for how long.
#[must_use = "it looks only while it is awaited"]
pub struct Eventually<L> {
    look: L,
    timeout: Duration,
}

impl<L> Eventually<L> {
    /// Panics after this time in place of 100 s.
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Waits until a look sees `wanted`; panics with what it saw last.
    pub async fn is<F, W>(self, wanted: W)
    where
        L: Fn() -> F,
        F: Future,
        F::Output: PartialEq<W> + Debug,
        W: Debug,
    {
        let wanted = &wanted;
        let look = &self.look;
        let compare = move || async move {
            let seen = look().await;
            if seen == *wanted {
                Ok(())
            } else {
                Err(Unlike(format!("{seen:?} is not {wanted:?}")))
            }
        };
        Waiting::new(compare, self.timeout).await;
    }
}

impl<L, F, T, E> IntoFuture for Eventually<L>
where
    L: Fn() -> F + Unpin,
    F: Future<Output = Result<T, E>>,
    E: Debug,
{
    type Output = T;
    type IntoFuture = Waiting<L, F>;

    fn into_future(self) -> Waiting<L, F> {
        Waiting::new(self.look, self.timeout)
    }
}

/// A look that is under way, or the pause before the next.
pub struct Waiting<L, F> {
    look: L,
    state: State<F>,
    timeout: Duration,
    began: Instant,
}

/// What was seen and wanted, as it is to be printed.
struct Unlike(String);

impl Debug for Unlike {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

enum State<F> {
    Looking(Pin<Box<F>>),
    Pausing(Pin<Box<Sleep>>),
}

impl<L: Fn() -> F, F> Waiting<L, F> {
    fn new(look: L, timeout: Duration) -> Self {
        let state = State::Looking(Box::pin(look()));
        Self { look, state, timeout, began: Instant::now() }
    }
}

impl<L, F, T, E> Future for Waiting<L, F>
where
    L: Fn() -> F + Unpin,
    F: Future<Output = Result<T, E>>,
    E: Debug,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        loop {
            let next = match &mut self.state {
                State::Looking(look) => match ready!(look.as_mut().poll(context)) {
                    Ok(value) => return Poll::Ready(value),
                    Err(error) if self.began.elapsed() > self.timeout => {
                        panic!("not within {:?}: {error:?}", self.timeout)
                    }
                    Err(_) => State::Pausing(Box::pin(sleep(PAUSE))),
                },
                State::Pausing(pause) => {
                    ready!(pause.as_mut().poll(context));
                    State::Looking(Box::pin((self.look)()))
                }
            };
            self.state = next;
        }
    }
}
