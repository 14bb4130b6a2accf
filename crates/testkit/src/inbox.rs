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
        for received in batch {
            self.keep_one(&received.id, &received.message);
        }
    }

    /// Keeps the message with this id, unless it was heard before.
    pub fn keep_one(&self, id: &str, message: &M) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.ids.insert(id.to_owned()) {
            heard.messages.push(message.clone());
        }
    }

    /// What `pick` makes of the messages so far, where it makes something.
    pub fn pick<T>(&self, pick: impl FnMut(&M) -> Option<T>) -> Vec<T> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.messages.iter().filter_map(pick).collect()
    }
}
