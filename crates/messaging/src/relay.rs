//! The one sender of an outbox: reads, sends, waits for the acks, deletes.
