//! Checksum databases by way of GOPROXY lists.
