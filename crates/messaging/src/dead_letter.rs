//! Messages no retry can heal are kept aside, so that nothing waits for them.
