//! `karcis` as its users meet it: people who start everything, and operators who deploy.
#![allow(clippy::unwrap_used)]

mod deploy;
mod launcher;
