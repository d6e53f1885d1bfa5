use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::contract::{Answer, Origin, Response};
use crate::hex;
use crate::sigstore::root::TrustedRoot;
use crate::sigstore::testing::{Instance, Rekor};
use crate::sumdb::tlog::{Hash, node_hash, record_hash};

/// What is kept, and what the log answers about proofs.
struct World {
    kept: Option<Vec<u8>>,
    proof: Response,
    asked: Vec<String>,
    evidence: usize,
}

fn body(content: Vec<u8>) -> Response {
    Ok(Answer::Body(Body { content, origin: Origin::Remote }))
}

impl World {
    fn new(kept: Option<&Checkpoint>, proof: Response) -> Self {
        let kept = kept.map(|checkpoint| checkpoint.note.clone().into_bytes());
        Self { kept, proof, asked: Vec::new(), evidence: 0 }
    }

    fn answer(&mut self, request: Request) -> Response {
        match request {
            Request::Recall(_) => self.kept.clone().map_or(Err(Failure::Absent), body),
            Request::Advance(advance) => {
                assert_eq!(advance.previous, self.kept);
                self.kept = Some(advance.next.clone());
                body(advance.next)
            }
            Request::Rekor(get) => {
                self.asked.push(get.path);
                self.proof.clone()
            }
            other => panic!("{other:?}"),
        }
    }

    fn accept(&mut self, log: &Log, shown: &Checkpoint) -> Result<(), TimelineError> {
        let exchange = Exchange::new();
        let mut run = pin!(accept(&exchange, log, shown));
        loop {
            let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            self.evidence += exchange.take_keep().len();
            match polled {
                Poll::Ready(result) => return result,
                Poll::Pending => {
                    let answers = exchange.take_need().into_iter().map(|request| self.answer(request)).collect();
                    exchange.deliver(answers);
                }
            }
        }
    }
}

/// A log with two and with three records, and one that has forked off at three.
struct Trees {
    log: Log,
    two: Checkpoint,
    three: Checkpoint,
    other: Checkpoint,
    proof: Vec<Hash>,
}

fn trees() -> Trees {
    let instance = Instance::new(1);
    let root = TrustedRoot::parse(instance.trusted_root().to_string().as_bytes()).unwrap();
    let log = root.logs().iter().find(|log| log.can_be_searched()).unwrap().clone();
    let checkpoint =
        |size: usize, root: &Hash| Checkpoint::parse(instance.checkpoint(Rekor::V1, size, &root.0)).unwrap();
    let record = |text: &str| record_hash(text.as_bytes());
    let two = node_hash(&record("a"), &record("b"));
    Trees {
        two: checkpoint(2, &two),
        three: checkpoint(3, &node_hash(&two, &record("c"))),
        other: checkpoint(3, &node_hash(&record("x"), &record("c"))),
        proof: vec![record("c")],
        log,
    }
}

fn proof(hashes: &[Hash]) -> Response {
    let hashes: Vec<String> = hashes.iter().map(|hash| hex::encode(&hash.0)).collect();
    body(serde_json::json!({ "hashes": hashes, "rootHash": "" }).to_string().into_bytes())
}

#[test]
fn what_extends_the_kept_tree_becomes_the_kept_one() {
    let trees = trees();
    let mut world = World::new(None, Err(Failure::Unreachable));
    world.accept(&trees.log, &trees.two).unwrap();
    assert_eq!(world.kept.as_deref(), Some(trees.two.note.as_bytes()));
    // The same again asks for nothing.
    world.accept(&trees.log, &trees.two).unwrap();
    assert!(world.asked.is_empty());

    world.proof = proof(&trees.proof);
    world.accept(&trees.log, &trees.three).unwrap();
    assert_eq!(world.kept.as_deref(), Some(trees.three.note.as_bytes()));
    assert!(world.asked[0].starts_with("api/v1/log/proof?firstSize=2&lastSize=3&treeID="), "{:?}", world.asked);
    // An older one is compared, and does not become the kept one.
    world.accept(&trees.log, &trees.two).unwrap();
    assert_eq!((world.kept.as_deref(), world.asked.len()), (Some(trees.three.note.as_bytes()), 2));
}

#[test]
fn a_fork_is_evidence_and_is_not_accepted() {
    let trees = trees();
    for (kept, shown) in [(&trees.three, &trees.other), (&trees.two, &trees.other), (&trees.other, &trees.two)] {
        let mut world = World::new(Some(kept), proof(&trees.proof));
        let error = world.accept(&trees.log, shown).unwrap_err();
        assert!(matches!(error, TimelineError::Fork { .. }) && !error.is_unanswered(), "{error}");
        assert_eq!((world.kept.as_deref(), world.evidence), (Some(kept.note.as_bytes()), 1));
    }
}

#[test]
fn no_proof_is_no_acceptance() {
    let trees = trees();
    let too_many = vec![Hash([0; 32]); crate::sigstore::log::MAX_PROOF + 1];
    for answer in [Err(Failure::Unreachable), body(b"{}".to_vec()), body(b"{".to_vec()), proof(&too_many)] {
        let mut world = World::new(Some(&trees.two), answer);
        let error = world.accept(&trees.log, &trees.three).unwrap_err();
        assert!(error.is_unanswered(), "{error}");
        assert_eq!((world.kept.as_deref(), world.evidence), (Some(trees.two.note.as_bytes()), 0));
    }
}

#[test]
fn what_is_kept_must_be_the_logs_own() {
    let trees = trees();
    let stranger = Instance::new(2).checkpoint(Rekor::V1, 2, &trees.two.tree.root.0);
    for kept in [stranger.into_bytes(), b"\xff".to_vec(), b"text".to_vec()] {
        let mut world = World { kept: Some(kept), ..World::new(None, proof(&trees.proof)) };
        let error = world.accept(&trees.log, &trees.three).unwrap_err();
        assert!(matches!(error, TimelineError::Kept(_)) && !error.is_unanswered(), "{error}");
    }
}
