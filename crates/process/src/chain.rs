//! An error in one line, with its sources.

use std::{error::Error, iter::successors};

/// The error and its sources, joined by ": ". A source whose text stands there already is left
/// out.
pub fn chain(error: &dyn Error) -> String {
    let sources = successors(error.source(), |&source| source.source());
    sources.map(ToString::to_string).fold(error.to_string(), |told, source| {
        if told.contains(&source) { told } else { format!("{told}: {source}") }
    })
}
