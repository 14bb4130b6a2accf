//! What tests share: real Kafka and Postgres, a database and topics of one's own, a fleet,
//! people who use it, and `eventually`.

mod bed;
mod eventually;

pub use bed::Bed;
pub use eventually::eventually;
