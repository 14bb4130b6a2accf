//! user-service's rules
