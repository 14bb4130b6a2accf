//! What payment-service has told, as the test reads it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use karcis_contracts::{Message, PaymentFact};
use karcis_kernel::BookingId;
use karcis_messaging::{Consumer, HandleError, Received};

/// Remembers every fact of the topic by its message's id: the broker may bring one twice.
#[derive(Clone, Default)]
pub struct Facts(Arc<Mutex<Vec<(String, PaymentFact)>>>);

impl Facts {
    /// Those of this booking so far, in their order.
    pub fn of(&self, booking: BookingId) -> Vec<PaymentFact> {
        let all = self.0.lock().unwrap();
        let facts = all.iter().map(|(_, fact)| fact);
        facts.filter(|fact| fact.key() == booking.0).cloned().collect()
    }
}

#[async_trait]
impl Consumer for Facts {
    type Message = PaymentFact;

    fn topics(&self) -> &'static [&'static str] {
        &[PaymentFact::TOPIC]
    }

    fn decode(
        &self,
        _topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<PaymentFact>> {
        PaymentFact::decode(kind, body)
    }

    async fn handle(&self, batch: &[Received<PaymentFact>]) -> Result<(), HandleError> {
        let mut facts = self.0.lock().unwrap();
        for Received { id, message, .. } in batch {
            if facts.iter().all(|(known, _)| known != id) {
                facts.push((id.clone(), message.clone()));
            }
        }
        Ok(())
    }
}
