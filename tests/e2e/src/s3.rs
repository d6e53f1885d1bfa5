//! A server that speaks S3 (moto, tests/peer/s3), on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{python, root};

/// A running server with one bucket; ends when dropped.
#[derive(Debug)]
pub struct S3 {
    child: Child,
    url: String,
}

impl S3 {
    /// The bucket's name.
    pub const BUCKET: &str = "bucket";

    /// Starts one; none where there is no Python.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> Option<Self> {
        let mut child = Command::new(python("s3", "tests/peer/s3/requirements.txt")?)
            .arg(root().join("tests/peer/s3/serve.py"))
            .arg(Self::BUCKET)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("it prints a line");
        let hello: Value = serde_json::from_str(&line).expect("one line of JSON");
        Some(Self { child, url: hello["url"].as_str().expect("a URL").to_owned() })
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What AWS's clients read from the environment to find it.
    pub fn env(&self) -> [(&'static str, &str); 6] {
        [
            ("AWS_ENDPOINT", &self.url),
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
    }

    /// A request for a key of the bucket: the status and the body.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn request(&self, method: &str, key: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("it listens");
        // It looks whether a request is signed, not how.
        let mut head = format!(
            "{method} /{}/{key} HTTP/1.0\r\nAuthorization: AWS test:test\r\nContent-Length: {}\r\n",
            Self::BUCKET,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(&[head.as_bytes(), b"\r\n", body].concat()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a header");
        let status = std::str::from_utf8(&answer[9..12]).expect("a status").parse().expect("a number");
        (status, answer[end + 4..].to_vec())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
