//! booking-service's rules
