//! The `karcis` binary: the whole of Karcis on this machine.

fn main() {}
