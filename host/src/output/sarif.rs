//! `sarif`: SARIF 2.1.0, as the core writes it (`modanchor_core::report::sarif`), small enough for GitHub.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use modanchor_core::report::{
    Places, Report,
    sarif::{self, MAX_GZIP_BYTES, MAX_RESULTS, Options},
};

/// A SARIF file, and the same after gzip, as it is uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sarif {
    /// UTF-8 JSON.
    pub json: Vec<u8>,
    /// At most [`MAX_GZIP_BYTES`].
    pub gzip: Vec<u8>,
}

/// Renders a report. If the file would be larger than GitHub accepts, it holds fewer results, the most severe ones, and
/// says so. `category` tells apart several analyses of one commit; none: `modanchor`, and the folder that was judged.
///
/// # Errors
///
/// If `report` is not a report.
pub fn render(report: &[u8], places: &Places, category: Option<&str>) -> Result<Sarif, serde_json::Error> {
    let report: Report = serde_json::from_slice(report)?;
    let mut options = Options::new(places.clone());
    if let Some(category) = category {
        category.clone_into(&mut options.category);
    }
    Ok(fit(&report, options, MAX_GZIP_BYTES))
}

/// Halves the number of results until the file is small enough. Rules and files alone always are.
fn fit(report: &Report, mut options: Options, max_bytes: usize) -> Sarif {
    options.max_results = MAX_RESULTS.min(report.findings.len());
    loop {
        let json = sarif::render(report, &options);
        let gzip = compress(&json);
        if gzip.len() <= max_bytes || options.max_results == 0 {
            return Sarif { json, gzip };
        }
        options.max_results /= 2;
    }
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("a Vec takes every write")
}

#[cfg(test)]
mod tests {
    use modanchor_core::report::{FileSummary, Verdict};

    use super::*;
    use crate::output::testing;

    fn file() -> FileSummary {
        FileSummary { path: "sub/go.sum".into(), kind: "go.sum".into(), sha256: "00".repeat(32), lines: 6 }
    }

    #[test]
    fn a_file_that_is_too_large_holds_the_worst() {
        let report = testing::report(Verdict::Fail, (0..2000).map(|_| testing::finding("gosum-mismatch", 1)).collect());
        let report = Report { files: vec![file()], ..report };
        let whole = fit(&report, Options::new(Places::default()), MAX_GZIP_BYTES);
        let results = |sarif: &Sarif| {
            let log: serde_json::Value = serde_json::from_slice(&sarif.json).unwrap();
            log["runs"][0]["results"].as_array().unwrap().len()
        };
        assert_eq!(results(&whole), 2000);
        let limit = whole.gzip.len() - 1;
        let cut = fit(&report, Options::new(Places::default()), limit);
        assert_eq!(results(&cut), 1000);
        assert!(cut.gzip.len() <= limit);
        assert!(String::from_utf8(cut.json).unwrap().contains("1000 of 2000 findings"));
        // Even where not even the rules fit, there is a file, and it ends.
        assert_eq!(results(&fit(&report, Options::new(Places::default()), 1)), 0);
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        assert!(render(b"{}", &Places::default(), None).is_err());
    }
}
