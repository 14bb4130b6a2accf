//! Those who use the services over HTTP: buyers, organisers, those who leave. Their requests run in a process of the
//! service and end with it.

mod buyers;
mod leavers;
mod organisers;
mod requests;

pub(crate) use buyers::buy;
pub(crate) use leavers::add_accounts;
pub(crate) use organisers::{add_events, edit};
