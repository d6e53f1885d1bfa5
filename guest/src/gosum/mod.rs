//! go.sum and go.work.sum as cmd/go reads them; what go.mod and go.work ask for.
