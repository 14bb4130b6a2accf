//! An error in one line, with its sources.

use std::{error::Error, iter::successors};

/// The error and its sources, joined by ": ". A source whose text the line already contains is left
/// out.
pub fn chain(error: &dyn Error) -> String {
    let sources = successors(error.source(), |&source| source.source());
    sources.map(ToString::to_string).fold(error.to_string(), |chain, source| {
        if chain.contains(&source) { chain } else { format!("{chain}: {source}") }
    })
}
