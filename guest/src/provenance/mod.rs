//! in-toto statements and SLSA provenance, and what joins them to a go.sum.
