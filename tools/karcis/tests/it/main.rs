//! `karcis` as its users meet it: people who start everything, and operators who deploy.

mod deploy;
mod keys;
mod launcher;
mod operator;
mod ops;
mod simulate;
