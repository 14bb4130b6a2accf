//! What payment-service has told, as the test reads it.

use async_trait::async_trait;
use karcis_contracts::{Message, PaymentFact};
use karcis_kernel::BookingId;
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_testkit::Inbox;

/// Remembers every fact of the topic.
#[derive(Clone, Default)]
pub(crate) struct Facts(Inbox<PaymentFact>);

impl Facts {
    /// Those of this booking so far, in their order.
    pub(crate) fn of(&self, booking: BookingId) -> Vec<PaymentFact> {
        self.0.pick(|fact| (fact.key() == booking.0).then(|| fact.clone()))
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
        self.0.keep(batch);
        Ok(())
    }
}
