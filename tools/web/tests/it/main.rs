//! The gateway and the app's pages, seen from outside, before tiny services.

mod harness;
mod pages;
mod passing;
mod paths;
mod sessions;
