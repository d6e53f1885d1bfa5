//! Module paths, versions, `!`-escaping and GOPRIVATE patterns, with the checks of golang.org/x/mod/module.
