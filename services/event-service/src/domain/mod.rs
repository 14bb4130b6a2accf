//! event-service's rules
