//! What a test has heard of a topic.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use karcis_messaging::Received;

/// Messages in their order; one that is delivered again is kept once.
#[derive(Clone)]
pub struct Inbox<M>(Arc<Mutex<Heard<M>>>);

struct Heard<M> {
    ids: HashSet<String>,
    messages: Vec<M>,
}

impl<M> Default for Inbox<M> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Heard { ids: HashSet::new(), messages: Vec::new() })))
    }
}

impl<M: Clone> Inbox<M> {
    /// Keeps what was not heard before.
    pub fn keep(&self, batch: &[Received<M>]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for received in batch {
            if heard.ids.insert(received.id.clone()) {
                heard.messages.push(received.message.clone());
            }
        }
    }

    /// What `pick` makes of the messages so far, where it makes something.
    pub fn pick<T>(&self, pick: impl FnMut(&M) -> Option<T>) -> Vec<T> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.messages.iter().filter_map(pick).collect()
    }
}
