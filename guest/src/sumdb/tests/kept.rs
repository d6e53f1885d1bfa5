//! What is kept, written by somebody else.

use crate::sumdb::kept::{KnownHeads, Link};
use crate::sumdb::testing::Log;
use crate::sumdb::tlog::{ProofShape, TreeHead};

fn link(log: &Log, older: u64, newer: u64) -> Link {
    let shape = ProofShape::consistency(older, newer).unwrap();
    Link { older: log.head_at(older), newer: log.head_at(newer), proof: log.proof(&shape) }
}

fn known(log: &Log, size: u64, links: Vec<Link>) -> KnownHeads {
    let mut known = KnownHeads::default();
    known.insert(&log.head_at(size));
    known.add_links(links);
    known
}

#[test]
fn links_lead_up_to_a_known_head() {
    let log = Log::new(40);
    let chain = [(3, 9), (9, 20), (20, 40), (5, 7)].map(|(older, newer)| link(&log, older, newer)).to_vec();
    let mut known = known(&log, 40, chain);
    assert!(known.contains(&log.head_at(3)) && known.contains(&log.head_at(20)));
    assert!(!known.contains(&log.head_at(5)), "leads nowhere");
    assert!(!known.contains(&TreeHead { size: 9, ..log.head_at(20) }), "another root");
}

#[test]
fn a_link_that_does_not_hold_spoils_no_other() {
    let log = Log::new(40);
    for bad_last in [false, true] {
        let bad = Link { proof: Vec::new(), ..link(&log, 9, 40) };
        let mut links = vec![link(&log, 3, 9), bad, link(&log, 9, 20), link(&log, 20, 40)];
        if bad_last {
            links.swap(1, 2);
        }
        assert!(known(&log, 40, links).contains(&log.head_at(3)), "{bad_last}");
    }
}

/// As many as the cap lets through, on a stack that is no larger than the component's.
#[test]
fn any_number_of_bad_links_takes_no_stack() {
    let check = || {
        let log = Log::new(40);
        let bad = Link { proof: Vec::new(), ..link(&log, 9, 40) };
        assert!(!known(&log, 40, vec![bad; 150_000]).contains(&log.head_at(9)));
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(check).unwrap().join().unwrap();
}
