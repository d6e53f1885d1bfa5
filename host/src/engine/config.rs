//! The settings of wasmtime that decide what compiled code looks like.
//!
//! Shared by build.rs, which compiles, and by the engine, which runs: compiled code loads only into an engine with the
//! same settings.
//!
//! Memory keeps wasmtime's default, a reservation of 4 GiB of address space with a guard behind it, so that compiled
//! code needs no bounds checks: those cost 10 % of SHA-256 and 20 % of Ed25519. A reservation uses no memory, and
//! containers do not count it; a limit on address space (`ulimit -v`) below some 5 GB does, and the engine then says so
//! and does not start.

use wasmtime::Config;

/// The settings.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Refuses a component with SIMD: on a processor with no more than x86-64's baseline, which compiled code is made
        // for, it becomes calls of helper functions, and SHA-256 takes 6 times as long as without.
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        // Stops a step that takes too long.
        .epoch_interruption(true)
        // An image of the memory would be a file in memory, which sandboxes and `ulimit -f` may forbid.
        .memory_init_cow(false)
        // Nobody reads backtraces of a stripped component; without the tables the program is smaller.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    config
}
