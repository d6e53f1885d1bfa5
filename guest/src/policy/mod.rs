//! The policy, and the grades that it gives: `trusted`, `verified`, `unverified`.
