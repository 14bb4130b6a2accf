//! The HTTP house rules: problem+json, extractors, tokens, live answers, health and metrics.

mod app;
mod auth;
mod extract;
mod idempotency;
mod live;
mod page;
mod patch;
mod problem;

pub use app::{App, HttpConfig, Readiness, bind, serve};
pub use auth::{
    AUDIENCE, Admin, Caller, Claims, ISSUER, Operator, Organiser, TOKEN_TYPE, TokenKeys,
};
pub use extract::{Json, PathId, PreferWait, Query};
pub use idempotency::{IdempotencyKey, REPLAYED};
pub use live::{Live, Versions, WantsStream, stream};
pub use page::{Cursor, List, Page};
pub use patch::Patch;
pub use problem::{Field, Fields, Problem};
