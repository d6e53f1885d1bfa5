//! A vendor folder: what vendor/modules.txt says, whether go.mod says the same, and whose the files are.
//!
//! | file | what it does |
//! |---|---|
//! | [`modules_txt`] | vendor/modules.txt as cmd/go reads it |
//! | [`consistency`] | modules.txt against go.mod and go.work, as cmd/go compares them, and a little more |
//! | [`files`] | every vendored file against the zip of its module |
//! | [`constraint`] | whether `go mod vendor` copies a Go file |
//!
//! The go command never compares a vendored file with anything (golang/go#27348). What makes the files safe is a chain:
//! go.mod names the module versions, modules.txt must name the same ones, and each file must be the file of that name in
//! the zip, whose h1 is vouched for elsewhere. So wherever the go command reads past something in modules.txt, that is
//! told here: it is where a changed line could hide.
//!
//! Everything takes time in the order of n log n of what it is given, whatever an attacker writes there.

pub mod consistency;
pub mod constraint;
pub mod files;
pub mod modules_txt;
