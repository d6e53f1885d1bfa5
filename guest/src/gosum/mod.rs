//! go.sum and go.work.sum as cmd/go reads them; what go.mod and go.work ask for.
//!
//! | file | what it reads |
//! |---|---|
//! | [`sum`] | go.sum and go.work.sum, line by line |
//! | [`gomod`] | go.mod |
//! | [`gowork`] | go.work |
//! | [`wanted`] | which lines the go command will ask for |
//! | [`tidy`] | go.sum in order, with lines added |

pub mod gomod;
pub mod gowork;
pub mod sum;
pub mod syntax;
pub mod tidy;
pub mod wanted;

/// A place in a file, for a person: counted in characters from 1, as editors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// 1-based line.
    pub line: u32,
    /// 1-based first column.
    pub column: u32,
    /// The column after the last one.
    pub end_column: u32,
}
