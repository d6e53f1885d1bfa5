use proptest::prelude::*;

use super::super::evidence::{Evidence, EvidenceError, Fork, MAX_BYTES};
use super::super::testing::{Log, Signer};
use super::super::tlog::{Hash, ProofShape, TreeHead, record_hash};

/// A database with two faces: from record `at` on, they differ.
fn faces(size: u64, at: u64) -> (Log, Log) {
    let honest = Log::new(size);
    let mut forked = Log::new(at);
    (at..size).for_each(|n| forked.push(format!("other record {n}\n").as_bytes()));
    (honest, forked)
}

/// The fork between one face at `old` records and the other at `new`.
fn fork(signer: &Signer, old: &TreeHead, log: &Log, new: u64) -> Result<Fork, EvidenceError> {
    let proof = if old.size == 0 { Vec::new() } else { log.proof(&ProofShape::consistency(old.size, new).unwrap()) };
    let prefix = log.head_at(old.size).root;
    Fork::prove(signer.head(old), signer.head(&log.head_at(new)), prefix, proof)
}

#[test]
fn every_fork_is_proved_written_and_checked_again() {
    let signer = Signer::new("sum.example", 1);
    let (honest, forked) = faces(20, 6);
    for new in 1..=20 {
        for old in 0..=new {
            let proved = fork(&signer, &honest.head_at(old), &forked, new);
            if old <= 6 {
                assert_eq!(proved, Err(EvidenceError::Consistent), "{old} {new}");
                continue;
            }
            let proved = proved.unwrap();
            let file = proved.render(&signer.verifier());
            let evidence = Evidence::parse(file.as_bytes()).unwrap();
            assert_eq!(evidence.old, proved.old().message());
            assert_eq!(evidence.new, proved.newer().message());
            assert_eq!(evidence.recheck(&signer.verifier()), Ok(proved));
        }
    }
}

#[test]
fn an_empty_tree_with_a_root_is_a_fork_too() {
    let signer = Signer::new("sum.example", 1);
    let odd = TreeHead { size: 0, root: record_hash(b"") };
    let proved = fork(&signer, &odd, &Log::new(5), 5).unwrap();
    let file = proved.render(&signer.verifier());
    let again = Evidence::parse(file.as_bytes()).unwrap().recheck(&signer.verifier());
    assert_eq!(again, Ok(proved));
}

#[test]
fn the_file_explains_itself() {
    let signer = Signer::new("sum.example", 1);
    let (honest, forked) = faces(9, 3);
    let fork = fork(&signer, &honest.head_at(5), &forked, 9).unwrap();
    let file = fork.render(&signer.verifier());
    assert!(fork.file_name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b)));
    assert!(fork.file_name().starts_with("fork-5-9-"));
    for part in [&signer.vkey(), "SECURITY ERROR", &honest.head_at(5).root.to_string(), &fork.prefix().to_string()] {
        assert!(file.contains(part), "{part}\n{file}");
    }
    insta::assert_snapshot!(file);
}

#[test]
fn white_space_at_line_ends_may_be_lost() {
    let signer = Signer::new("sum.example", 1);
    let (honest, forked) = faces(9, 3);
    let fork = fork(&signer, &honest.head_at(5), &forked, 9).unwrap();
    let file = fork.render(&signer.verifier());
    let stripped = file.replace("\t\n", "\n");
    assert_ne!(stripped, file);
    assert_eq!(Evidence::parse(stripped.as_bytes()), Evidence::parse(file.as_bytes()));
}

#[test]
fn one_byte_more_than_the_limit() {
    let signer = Signer::new("sum.example", 1);
    let (honest, forked) = faces(9, 3);
    let fork = fork(&signer, &honest.head_at(5), &forked, 9).unwrap();
    let file = fork.render(&signer.verifier());
    // The explanation may be of any length.
    let of_length = |len: usize| {
        let padding = "x".repeat(len - file.len());
        Evidence::parse(file.replacen("SECURITY", &format!("{padding}SECURITY"), 1).as_bytes())
    };
    assert!(of_length(MAX_BYTES).is_ok());
    assert_eq!(of_length(MAX_BYTES + 1), Err(EvidenceError::Malformed));
}

/// Nobody can make up a fork: not by changing a file, nor by honest heads.
#[test]
fn every_changed_character_is_noticed_or_means_nothing() {
    let signer = Signer::new("sum.example", 1);
    let (honest, forked) = faces(9, 3);
    let genuine = fork(&signer, &honest.head_at(5), &forked, 9).unwrap();
    let file = genuine.render(&signer.verifier()).into_bytes();
    for at in 0..file.len() {
        let mut mangled = file.clone();
        mangled[at] ^= 1;
        let Ok(evidence) = Evidence::parse(&mangled) else {
            continue;
        };
        let Ok(again) = evidence.recheck(&signer.verifier()) else {
            continue;
        };
        assert_eq!(again.old().head(), genuine.old().head());
        assert_eq!(again.newer().head(), genuine.newer().head());
        assert_eq!(again.prefix(), genuine.prefix());
    }
    for len in 0..file.len() {
        assert_eq!(Evidence::parse(&file[..len]), Err(EvidenceError::Malformed), "{len}");
    }
}

#[test]
fn accusations_without_proof_are_refused() {
    let signer = Signer::new("sum.example", 1);
    let (honest, forked) = faces(9, 3);
    let genuine = fork(&signer, &honest.head_at(5), &forked, 9).unwrap();
    let evidence = Evidence::parse(genuine.render(&signer.verifier()).as_bytes()).unwrap();

    let other = Signer::new("sum.example", 2).verifier();
    assert!(matches!(evidence.recheck(&other), Err(EvidenceError::Head { which: "older", .. })));

    let mut wrong = evidence.clone();
    wrong.prefix = Hash::EMPTY_ROOT;
    assert!(matches!(wrong.recheck(&signer.verifier()), Err(EvidenceError::Proof(_))));

    let mut swapped = evidence.clone();
    std::mem::swap(&mut swapped.old, &mut swapped.new);
    assert_eq!(swapped.recheck(&signer.verifier()), Err(EvidenceError::Order));

    let mut short = evidence;
    short.proof.pop();
    assert!(matches!(short.recheck(&signer.verifier()), Err(EvidenceError::Proof(_))));

    let made_up =
        Fork::prove(signer.head(&TreeHead::EMPTY), signer.head(&honest.head()), record_hash(b"anything"), Vec::new());
    assert_eq!(made_up, Err(EvidenceError::Malformed));
}

proptest! {
    #[test]
    fn files_never_panic(noise in proptest::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>()) {
        let signer = Signer::new("sum.example", 1);
        let (honest, forked) = faces(9, 3);
        let mut file = fork(&signer, &honest.head_at(5), &forked, 9).unwrap().render(&signer.verifier()).into_bytes();
        let at = at.index(file.len());
        file.splice(at..at, noise);
        if let Ok(evidence) = Evidence::parse(&file) {
            let _ = evidence.recheck(&signer.verifier());
        }
    }
}
