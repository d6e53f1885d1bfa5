//! wasmtime: the compiled component, its limits, driving a session.
