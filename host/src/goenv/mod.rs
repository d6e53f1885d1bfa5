//! Go's environment, with cmd/go's precedence.
