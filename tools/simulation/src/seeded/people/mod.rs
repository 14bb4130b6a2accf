//! Those who use the services over HTTP: buyers, organisers, operators, those who leave. Their requests run in a
//! process of the service and end with it.

mod buyers;
mod leavers;
mod operators;
mod organisers;
mod requests;

pub(crate) use buyers::buy;
pub(crate) use leavers::add_accounts;
pub(crate) use operators::{BY_HAND, be_on_duty, operate};
pub(crate) use organisers::{add_events, edit};
