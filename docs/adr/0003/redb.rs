//! What redb does with the store's load, and with a damaged file. Not part of the build:
//!
//!     cargo new redb-probe && cd redb-probe && cargo add redb@=4.5.0
//!     cp .../docs/adr/0003/redb.rs src/main.rs && cargo run --release

use std::collections::BTreeSet;
use std::error::Error;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use redb::{Builder, ConcurrencyMode, ReadableDatabase, TableDefinition};

const KEPT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("kept");
static PANICS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn builder(check: bool) -> Builder {
    let mut builder = Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
    builder.set_check_integrity_on_open(check);
    builder
}

fn key(n: u32) -> [u8; 8] {
    u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()
}

fn value(n: u32, length: u32) -> Vec<u8> {
    (0..length).map(|at| (n.wrapping_mul(2_654_435_761).wrapping_add(at * 97) >> 7) as u8).collect()
}

fn read(db: &impl ReadableDatabase, step: u32, count: u32) -> Result<usize, Box<dyn Error>> {
    let table = db.begin_read()?.open_table(KEPT)?;
    let mut length = 0;
    for n in 0..count {
        length += table.get(&key(n * step)[..])?.map_or(0, |value| value.value().len());
    }
    Ok(length)
}

fn write(path: &Path, count: u32, length: u32) -> Result<(), Box<dyn Error>> {
    let db = builder(false).create(path)?;
    let transaction = db.begin_write()?;
    let mut table = transaction.open_table(KEPT)?;
    for n in 0..count {
        table.insert(&key(n)[..], &value(n, length)[..])?;
    }
    drop(table);
    Ok(transaction.commit()?)
}

fn best(mut run: impl FnMut() -> Result<usize, Box<dyn Error>>) -> Duration {
    let once = |_| {
        let begin = Instant::now();
        assert_eq!(run().unwrap(), 650_000);
        begin.elapsed()
    };
    (0..9).map(once).min().unwrap()
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::temp_dir().join(format!("redb-probe-{}", std::process::id()));
    std::fs::create_dir(&dir)?;
    let (large, small, bad) = (dir.join("large"), dir.join("small"), dir.join("bad"));
    let begin = Instant::now();
    write(&large, 50_000, 1300)?;
    println!("write 50,000: {:?}, {} bytes", begin.elapsed(), large.metadata()?.len());
    for check in [false, true] {
        let reading = best(|| read(&builder(check).open_read_only(&large)?, 97, 500));
        let writing = best(|| read(&builder(check).open(&large)?, 97, 500));
        println!("500 reads, check_integrity_on_open={check}: read-only {reading:?}, for writing {writing:?}");
    }
    write(&small, 50, 200)?;
    let good = std::fs::read(&small)?;
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        PANICS.lock().unwrap().insert(location.rsplit('/').next().unwrap_or_default().to_owned());
    }));
    for (check, writing) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut read_all, mut errors, mut panics) = (0, 0, 0);
        for at in (0..6144).filter(|at| good[*at] != 0) {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] ^= flip;
                std::fs::write(&bad, bytes)?;
                let result = catch_unwind(|| match writing {
                    true => read(&builder(check).open(&bad)?, 1, 50),
                    false => read(&builder(check).open_read_only(&bad)?, 1, 50),
                });
                match result {
                    Ok(Ok(_)) => read_all += 1,
                    Ok(Err(_)) => errors += 1,
                    Err(_) => panics += 1,
                }
            }
        }
        println!("flipped, writing={writing}, check={check}: {read_all} read, {errors} errors, {panics} panics");
    }
    println!("panics at {:?}", PANICS.lock().unwrap());
    Ok(std::fs::remove_dir_all(&dir)?)
}
