//! Problems in place of the bare answers that hyper gives to requests it cannot read.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header::CONTENT_LENGTH},
    response::Response,
};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{Semaphore, SemaphorePermit},
    time::{Sleep, sleep},
};
use tower::ServiceExt;

use crate::Problem;

/// How hyper says that its answer has no body.
const NO_BODY: &str = "content-length: 0\r\n";
/// How much is still read of who was refused: a close in the middle would destroy the answer.
const MAX_DISCARDED_BYTES: usize = 1024 * 1024;
const DISCARD_LIMIT: Duration = Duration::from_secs(2);
/// Of so many at once. Others are closed right away: their connections are wanted for those who behave.
static DISCARDS: Semaphore = Semaphore::const_new(64);

/// What answers in hyper's place, without the headers that every answer has.
pub(crate) fn routes() -> Router {
    Router::new().fallback(async |Extension(status): Extension<StatusCode>| refusal(status))
}

fn refusal(status: StatusCode) -> Problem {
    if status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
        Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head-too-large",
            "The request's head is too large",
        )
        .detail("send at most 16 KiB of path, query and headers")
    } else {
        Problem::new(StatusCode::BAD_REQUEST, "malformed-request", "The request is not HTTP/1.1")
            .detail("write what a URL or a header may not have as %20 and the like")
    }
}

/// A connection of hyper's. Handlers' answers pass; those that hyper gives itself get a body.
pub(crate) struct Answering<S> {
    socket: Pin<Box<S>>,
    refusals: Router,
    /// What is still to be sent in place of what hyper has written.
    pending: Vec<u8>,
    discard: Option<Discard>,
}

/// What is left to be read of a client that was refused.
struct Discard {
    bytes: usize,
    until: Pin<Box<Sleep>>,
    _permit: SemaphorePermit<'static>,
}

impl<S: AsyncRead + AsyncWrite> Answering<S> {
    /// `refusals` are [`routes`].
    pub(crate) fn new(socket: S, refusals: Router) -> Self {
        Self { socket: Box::pin(socket), refusals, pending: Vec::new(), discard: None }
    }

    /// Whether `written` is an answer of hyper's own, for which another is sent.
    fn replaces(&mut self, written: &[u8]) -> bool {
        let Some((status, head)) = bare(written) else { return false };
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(status);
        // Nothing in it waits.
        let Some(Ok(answer)) = self.refusals.clone().oneshot(request).now_or_never() else {
            return false;
        };
        self.pending = with_head(head, answer);
        self.discard = DISCARDS.try_acquire().ok().map(|permit| Discard {
            bytes: MAX_DISCARDED_BYTES,
            until: Box::pin(sleep(DISCARD_LIMIT)),
            _permit: permit,
        });
        true
    }

    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(self.socket.as_mut().poll_write(context, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(discard) = &mut self.discard else { return Poll::Ready(()) };
        let mut bytes = [0; 4096];
        while discard.bytes > 0 && discard.until.as_mut().poll(context).is_pending() {
            let mut read = ReadBuf::new(&mut bytes);
            match ready!(self.socket.as_mut().poll_read(context, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {
                    discard.bytes = discard.bytes.saturating_sub(read.filled().len());
                }
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

/// The status, and the head without its end, if this is an answer that hyper made: every other has more
/// headers.
fn bare(written: &[u8]) -> Option<(StatusCode, String)> {
    let head = str::from_utf8(written).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    // A path that is too long fills the buffer first: it gets 431, not 414.
    let refused = [StatusCode::BAD_REQUEST, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE];
    let lines = head.strip_suffix("\r\n").filter(|lines| lines.ends_with("\r\n"))?;
    let is_bare = lines.contains(NO_BODY) && lines.lines().count() <= 4;
    (refused.contains(&status) && is_bare).then(|| (status, lines.replace(NO_BODY, "")))
}

/// This answer in wire form, after the lines of `head`.
fn with_head(mut head: String, answer: Response) -> Vec<u8> {
    let (parts, body) = answer.into_parts();
    let body = body.collect().now_or_never().and_then(Result::ok).unwrap_or_default().to_bytes();
    for (name, value) in parts.headers.iter().filter(|(name, _)| **name != CONTENT_LENGTH) {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    head.push_str(&format!("{CONTENT_LENGTH}: {}\r\n\r\n", body.len()));
    [head.as_bytes(), &body].concat()
}

impl<S: AsyncRead> AsyncRead for Answering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket.as_mut().poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncWrite for Answering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(context))?;
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.socket.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(context))?;
        if let [whole] = parts
            && self.replaces(whole)
        {
            return Poll::Ready(Ok(whole.len()));
        }
        self.socket.as_mut().poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        self.socket.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        ready!(self.socket.as_mut().poll_shutdown(context))?;
        ready!(self.poll_discard(context));
        Poll::Ready(Ok(()))
    }
}
