//! # The host
//!
//! The program `modanchor` does all I/O and decides nothing: it gives the core a job, fetches what the core asks for,
//! keeps what the core allows to be kept, and shows the report.
//!
//! | room | what it holds |
//! |---|---|
//! | [`contract`] | the types of `wit/`, generated for wasmtime |
//! | [`goenv`] | Go's environment, with cmd/go's precedence |
//! | [`engine`] | wasmtime: the compiled component, its limits, driving a session |
//! | [`evidence`] | recorded runs, and judging again from them |
//! | [`fetch`] | checksum databases by way of GOPROXY lists; retries, caps, timeouts |
//! | [`modcache`] | the go command's module cache and vendor folders, read and never written |
//! | [`files`] | reading files that others may write to |
//! | [`cache`] | what is kept between runs |
//! | [`fix`] | replacing go.sum, safe against a crash and a running `go` |
//! | [`ci`] | the event, changed lines, GitHub's API |
//! | [`publish`] | TUF repositories and the keys that sign them |
//! | [`output`] | one file per format |
//! | [`cli`] | one file per subcommand |

pub mod cache;
pub mod ci;
pub mod cli;
pub mod contract;
pub mod engine;
pub mod evidence;
pub mod fetch;
pub mod files;
pub mod fix;
pub mod goenv;
pub mod modcache;
pub mod output;
pub mod publish;
