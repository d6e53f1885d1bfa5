//! The program `modanchor`.
fn main() {}
