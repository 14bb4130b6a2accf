//! The HTTP side that all services share: problems, extractors, access tokens, live streams, system
//! endpoints and metrics.

mod accept;
mod admit;
mod app;
mod auth;
mod calendar;
mod client;
mod client_ip;
mod conditional;
mod connections;
mod explain;
mod extract;
mod head_timer;
mod idempotency;
mod jwks;
mod keys;
mod limits;
mod live;
mod metrics;
mod networks;
mod openapi;
mod page;
mod params;
mod patch;
mod problem;
mod readiness;
mod reason;
mod refusals;
mod scan;
mod security;
mod serve;
mod settings;
mod system_endpoints;
mod time;
mod token;
mod trace;
mod word;

pub use accept::WantsCsv;
pub use app::{App, Site};
pub use auth::{
    AUDIENCE, Admin, Caller, CallerName, Claims, Door, ISSUER, OPERATORS, Operator, Organiser,
    TOKEN_TYPE,
};
pub use calendar::{CalendarEntry, EntryStatus};
pub use client::HttpsClient;
pub use client_ip::{ClientIp, TrustedProxies};
pub use conditional::{IfMatch, IfNoneMatch, Tagged};
pub use extract::{Json, PathId, PathText, PreferWait, Query, RawBody};
pub use idempotency::{IdempotencyKey, REPLAYED};
pub use keys::TokenKeys;
pub use limits::{LimitsConfig, Rate, RateLimit};
pub use live::{Live, Versions, WantsStream, Watch, stream};
pub use networks::Networks;
pub use openapi::{About, LINE, LINES, Price, TimeZoneName, one_of, openapi, or_null};
pub use page::{Cursor, List, Page};
pub use patch::Patch;
pub use problem::{FieldError, FieldErrors, Problem};
pub use reason::{ReasonRequest, ReasonText, parse_reason};
pub use serve::{bind, bind_as, serve, serve_site};
pub use settings::{HttpConfig, KeysConfig, ServingConfig, address};
pub use time::Time;
pub use token::TokenError;
pub use word::Word;
