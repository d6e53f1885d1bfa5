//! Zips and deflate streams made at random, and what Go and we make of them: they must agree, or this ends with the
//! case.
//!
//!     cargo run --release -p benches --bin zipdiff -- --minutes 10 [--seed N]
//!
//! It begins with the odd zips of guest/tests/data/zip and changes them: bytes, fields of headers, whole entries. A
//! changed stream would only ever end in a wrong CRC, so streams are changed by themselves, and packed without one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is its purpose")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use modanchor_core::dirhash::zip::{ONE_SHOT, measure};
use modanchor_core::module::ModuleVersion;

const USAGE: &str = "usage: zipdiff --minutes N [--seed N]";

/// Larger ones than this are not changed: Go's side would take all the time.
const MAX_SEED: usize = 8 << 10;

fn main() -> Result<()> {
    let (mut minutes, mut seed) = (None, 1_u64);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let number = args.next().context(USAGE)?;
        match arg.as_str() {
            "--minutes" => minutes = Some(number.parse::<f64>().context(USAGE)?),
            "--seed" => seed = number.parse().context(USAGE)?,
            _ => bail!(USAGE),
        }
    }
    let until = Instant::now() + Duration::from_secs_f64(60.0 * minutes.context(USAGE)?);
    let module: ModuleVersion = "example.com/odd@v1.2.3".parse()?;
    let mut go = Go::start()?;
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let seeds = seeds()?;
    let streams: Vec<Vec<u8>> = seeds.iter().flat_map(|zip| streams(zip)).collect();
    let (mut zips, mut inflated, mut good) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < until {
        if random.below(4) == 0 {
            let mut stream = random.stream(&streams);
            if random.below(32) == 0 {
                // So long an entry is inflated in parts.
                stream.resize(stream.len() + ONE_SHOT, random.next() as u8);
            }
            good += u64::from(compare_stream(&mut go, &stream)?);
            inflated += 1;
        } else {
            let zip = random.zip(&seeds);
            good += u64::from(compare_zip(&mut go, &zip, &module)?);
            zips += 1;
        }
    }
    println!("{zips} zips and {inflated} streams, {good} of them good: no difference");
    Ok(())
}

/// Compares what becomes of a zip; whether Go hashes it.
fn compare_zip(go: &mut Go, zip: &[u8], module: &ModuleVersion) -> Result<bool> {
    let (h1, check) = go.ask(b'z', zip)?;
    let ours = measure(zip, None);
    let ruled = measure(zip, Some(module));
    let agree = match &ours {
        Ok(manifest) => manifest.h1().to_string() == h1,
        Err(_) => h1 == "-",
    };
    let agree_ruled = match &ruled {
        Ok(manifest) => manifest.h1().to_string() == h1 && check == "ok",
        Err(_) => h1 == "-" || check == "-",
    };
    if !agree || !agree_ruled {
        let path = keep("zip", zip)?;
        let ours = ours.map(|m| m.h1());
        bail!("{path}: Go says {h1} and {check}, we say {ours:?} and {:?}", ruled.map(|m| m.h1()));
    }
    Ok(h1 != "-")
}

/// Compares what becomes of a stream; whether Go inflates it.
fn compare_stream(go: &mut Go, stream: &[u8]) -> Result<bool> {
    let (size, sha256) = go.ask(b'd', stream)?;
    // Where Go has an error, no size must pass: the one that zlib would give is the likeliest.
    let mut zlib = flate2::Decompress::new(false);
    let mut out = Vec::with_capacity(4 << 20);
    let _ = zlib.decompress_vec(stream, &mut out, flate2::FlushDecompress::Finish);
    let declared = if size == "-" { out.len() as u64 } else { size.parse()? };
    let ours = measure(pack(stream, declared).as_slice(), None);
    let agree = match &ours {
        Ok(manifest) => manifest.files().iter().all(|file| hex(&file.sha256) == sha256),
        Err(_) => size == "-",
    };
    if !agree {
        bail!("{}: Go says {size} and {sha256}, we say {ours:?}", keep("deflate", stream)?);
    }
    Ok(size != "-")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn keep(kind: &str, data: &[u8]) -> Result<String> {
    let path = e2e::target().join(format!("zipdiff.{kind}"));
    fs::write(&path, data)?;
    Ok(path.display().to_string())
}

/// A zip of one entry with this stream, and no CRC.
fn pack(stream: &[u8], size: u64) -> Vec<u8> {
    let name = b"f";
    let (size, packed) = (size as u32, stream.len() as u32);
    let fields = |zip: &mut Vec<u8>| {
        for field in [0, 0, packed, size, 1] {
            zip.extend(u32::to_le_bytes(field));
        }
    };
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
    fields(&mut zip);
    zip.extend(name);
    zip.extend(stream);
    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0");
    fields(&mut zip);
    zip.extend([0; 14]);
    zip.extend(name);
    let length = zip.len() as u32 - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(length.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0; 2]);
    zip
}

fn seeds() -> Result<Vec<Vec<u8>>> {
    let mut paths: Vec<_> =
        fs::read_dir(e2e::root().join("guest/tests/data/zip"))?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    paths.sort();
    let zips = paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "zip"));
    let mut zips = zips.map(fs::read).collect::<std::io::Result<Vec<_>>>()?;
    zips.retain(|zip| zip.len() <= MAX_SEED);
    ensure!(zips.len() > 100, "the odd zips are not there");
    Ok(zips)
}

/// Where a signature `PKxy` is in a zip.
fn places(zip: &[u8], signature: [u8; 4]) -> Vec<usize> {
    (0..zip.len()).filter(|&at| zip[at..].starts_with(&signature)).collect()
}

/// What follows the local headers of a zip.
fn streams(zip: &[u8]) -> Vec<Vec<u8>> {
    let after = |at: &usize| {
        let name = zip.get(at + 26..at + 28)?;
        let start = at + 30 + usize::from(u16::from_le_bytes([name[0], name[1]]));
        let end = (start..zip.len()).find(|&end| zip[end..].starts_with(b"PK")).unwrap_or(zip.len());
        zip.get(start..end).map(<[u8]>::to_vec)
    };
    places(zip, *b"PK\x03\x04").iter().filter_map(after).collect()
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Some bytes, changed a little.
    fn change(&mut self, data: &mut Vec<u8>) {
        let at = self.below(data.len() + 1);
        let length = self.below(16).min(data.len() - at);
        match self.below(8) {
            0 | 1 if at < data.len() => data[at] ^= 1 << self.below(8),
            2 if at < data.len() => data[at] = *self.pick(&[0, 1, 0x7f, 0x80, 0xff, b'/', b'\n', b'.', b'P']),
            3 => drop(data.drain(at..at + length)),
            4 => {
                let part = data[at..at + length].to_vec();
                let to = self.below(data.len() + 1);
                data.splice(to..to, part);
            }
            5 => {
                let part: Vec<u8> = (0..length).map(|_| self.next() as u8).collect();
                data.splice(at..at, part);
            }
            6 => data.truncate(at.max(1)),
            _ if at < data.len() => data[at] = self.next() as u8,
            _ => {}
        }
    }

    fn stream(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = match self.below(8) {
            0 => {
                let length = 1 + self.below(60);
                let mut stream: Vec<u8> = (0..length).map(|_| self.next() as u8).collect();
                // A final block, fixed or dynamic.
                stream[0] = stream[0] & !7 | self.pick(&[3, 5]);
                stream
            }
            1 | 2 => {
                // A few letters make dynamic codes of all shapes.
                let letters = 1 + self.below(40);
                let length = if self.below(64) == 0 { 3 << 20 } else { 600 };
                let text: Vec<u8> = (0..self.below(length)).map(|_| (self.next() as usize % letters) as u8).collect();
                let level = flate2::Compression::new(self.below(10) as u32);
                let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), level);
                let _ = deflate.write_all(&text);
                deflate.finish().unwrap_or_default()
            }
            _ => self.pick(seeds).clone(),
        };
        for _ in 0..self.below(4) {
            self.change(&mut stream);
        }
        stream
    }

    /// An odd zip with changed fields, swapped parts or changed bytes.
    fn zip(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut zip = self.pick(seeds).clone();
        for _ in 0..1 + self.below(3) {
            match self.below(8) {
                0 => self.change(&mut zip),
                1 => {
                    let other = self.pick(seeds);
                    let (a, b) = (self.below(zip.len() + 1), self.below(other.len() + 1));
                    let (a, b) = if self.below(2) == 0 { (zip.len(), 0) } else { (a, b) };
                    zip.truncate(a);
                    zip.extend(&other[b..]);
                }
                2 => self.repeat_entry(&mut zip),
                _ => self.field(&mut zip),
            }
        }
        zip
    }

    /// Another value for a field of some header.
    fn field(&mut self, zip: &mut [u8]) {
        // Where fields of two, four and eight bytes are in each kind of header.
        const LOCAL: &[(usize, usize)] =
            &[(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4)];
        const ENTRY: &[(usize, usize)] =
            &[(8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4), (46, 4), (50, 8)];
        const END: &[(usize, usize)] = &[(8, 2), (10, 2), (12, 4), (16, 4), (20, 2)];
        const LOCATOR: &[(usize, usize)] = &[(4, 4), (8, 8), (16, 4)];
        const END64: &[(usize, usize)] = &[(24, 8), (32, 8), (40, 8), (48, 8)];
        const DESCRIPTOR: &[(usize, usize)] = &[(0, 4), (4, 4), (8, 4), (12, 4)];
        let (signature, fields) = *self.pick(&[
            (*b"PK\x03\x04", LOCAL),
            (*b"PK\x01\x02", ENTRY),
            (*b"PK\x01\x02", ENTRY),
            (*b"PK\x05\x06", END),
            (*b"PK\x06\x07", LOCATOR),
            (*b"PK\x06\x06", END64),
            (*b"PK\x07\x08", DESCRIPTOR),
        ]);
        let places = places(zip, signature);
        if places.is_empty() {
            return;
        }
        let (offset, width) = *self.pick(fields);
        let at = self.pick(&places) + offset;
        let size = zip.len() as u64;
        let Some(field) = zip.get_mut(at..at + width) else { return };
        let mut old = [0; 8];
        old[..width].copy_from_slice(field);
        let old = u64::from_le_bytes(old);
        let some = self.next();
        let near = some % 64;
        let value = *self.pick(&[
            0,
            1,
            8,
            u64::MAX,
            u64::MAX >> 1,
            1 << 63,
            0xffff,
            0xffff_ffff,
            old.wrapping_add(1),
            old.wrapping_sub(1),
            old.wrapping_add(near),
            old.wrapping_sub(near),
            size,
            size.wrapping_sub(near),
            size.wrapping_sub(22),
            near,
            some,
            some % size.max(1),
        ]);
        field.copy_from_slice(&value.to_le_bytes()[..width]);
    }

    /// One entry of the directory again, behind another, and a count that agrees; perhaps with another name.
    fn repeat_entry(&mut self, zip: &mut Vec<u8>) {
        let (entries, ends) = (places(zip, *b"PK\x01\x02"), places(zip, *b"PK\x05\x06"));
        let (Some(&first), Some(&end)) = (entries.first(), ends.last()) else { return };
        let from = *self.pick(&entries);
        let to = entries.iter().copied().find(|at| *at > from).unwrap_or(end);
        if to <= from || end < to || zip.len() < end + 22 {
            return;
        }
        let mut entry = zip[from..to].to_vec();
        if self.below(2) == 0 && entry.len() > 46 {
            let at = 46 + self.below(entry.len() - 46);
            entry[at] = *self.pick(b"/aA.\n\\k\xffgo");
        }
        let added = entry.len() as u32;
        zip.splice(first..first, entry);
        let end = end + added as usize;
        let count = |zip: &[u8], at| u16::from_le_bytes([zip[at], zip[at + 1]]).wrapping_add(1).to_le_bytes();
        let new = count(zip, end + 10);
        zip[end + 10..end + 12].copy_from_slice(&new);
        let size = u32::from_le_bytes([zip[end + 12], zip[end + 13], zip[end + 14], zip[end + 15]]).wrapping_add(added);
        zip[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
    }
}

/// `peer hash-zip-serve`.
struct Go {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Go {
    fn start() -> Result<Self> {
        let peer = e2e::peer().context("the peer is written in Go, and there is no go command")?;
        let mut child =
            Command::new(peer).arg("hash-zip-serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let questions = child.stdin.take().context("a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("a pipe")?);
        Ok(Self { child, questions, answers })
    }

    /// The two words of its answer.
    fn ask(&mut self, question: u8, data: &[u8]) -> Result<(String, String)> {
        let mut message = vec![question];
        message.extend((data.len() as u32).to_le_bytes());
        message.extend(data);
        self.questions.write_all(&message)?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (a, b) = line.trim_end().split_once(' ').context("the peer has ended")?;
        Ok((a.to_owned(), b.to_owned()))
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
