//! Names: of Go's settings, and of what is widely taken for one.

/// The names that are looked at, sorted. A host reads these of its own environment.
///
/// Some of them Go does not have: they are told as such.
pub const NAMES: &[&str] = &[
    "GOFLAGS",
    "GOINSECURE",
    "GONOCHECKSUM",
    "GONOPRIVATE",
    "GONOSUM",
    "GONOSUMCHECK",
    "GONOSUMDB",
    "GONOSUMDBCHECK",
    "GONOSUMS",
    "GONOVERIFY",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMCHECK",
    "GOSUMDB",
    "GOSUMDB_OFF",
    "GO_GONOSUMDB",
    "GO_GOSUMDB",
    "GO_NOSUMDB",
    "GO_PRIVATE",
    "GO_SUMDB",
];

/// The name as in [`NAMES`]; none: not looked at.
pub(super) fn of_interest(name: &str) -> Option<&'static str> {
    NAMES.binary_search(&name).ok().map(|at| NAMES[at])
}

/// Which setting whoever wrote this probably had in mind; none: it is one of Go's.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    match name {
        "GONOCHECKSUM" | "GONOSUM" | "GONOSUMCHECK" | "GONOSUMDBCHECK" | "GONOSUMS" | "GONOVERIFY" | "GO_GONOSUMDB"
        | "GO_NOSUMDB" => Some("GONOSUMDB"),
        "GONOPRIVATE" | "GO_PRIVATE" => Some("GOPRIVATE"),
        "GOSUMCHECK" | "GOSUMDB_OFF" | "GO_GOSUMDB" | "GO_SUMDB" => Some("GOSUMDB"),
        _ => None,
    }
}
