//! Those who use the services over HTTP: buyers, organisers, admins. Their requests run in a process of the
//! service and end with it.

mod buyers;
mod organisers;
mod requests;

pub(crate) use buyers::buy;
pub(crate) use organisers::{add_events, edit};
