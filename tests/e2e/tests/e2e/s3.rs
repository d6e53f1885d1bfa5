//! That the server which stands for S3 in these tests has what publishing relies on: writes under a condition.

use e2e::s3::S3;

#[test]
fn the_peer_keeps_conditions() {
    let Some(s3) = S3::start() else { return };
    let put = |headers: &[(&str, &str)], body: &str| s3.request("PUT", "tuf/1.root.json", headers, body.as_bytes()).0;
    assert_eq!(s3.request("GET", "tuf/1.root.json", &[], b"").0, 404);
    assert_eq!(put(&[("If-None-Match", "*")], "one"), 200);
    assert_eq!(put(&[("If-None-Match", "*")], "two"), 412);
    // Their MD5, as S3 makes its tags.
    let (one, other) = ("\"f97c5d29941bfb1b2fdab0874906ab82\"", "\"b8a9f715dbb64fd5c56e7783c6820a61\"");
    assert_eq!(put(&[("If-Match", other)], "three"), 412);
    assert_eq!(s3.request("GET", "tuf/1.root.json", &[], b""), (200, b"one".to_vec()));
    assert_eq!(put(&[("If-Match", one)], "four"), 200);
    assert_eq!(s3.request("GET", "tuf/1.root.json", &[], b""), (200, b"four".to_vec()));
}
