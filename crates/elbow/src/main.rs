//! The elbow binary.
fn main() {}
