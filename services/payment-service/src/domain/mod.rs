//! payment-service's rules
