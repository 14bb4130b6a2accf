//! user-service as a black box, on real Kafka and Postgres.
