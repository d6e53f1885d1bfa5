use proptest::prelude::*;

use super::super::testing::{Log, Signer, strings, table};
use super::super::tlog::*;

const CASES: &str = include_str!("../../../tests/data/sumdb/tlog-parse.json");
const INCLUSION: &str = include_str!("../../../tests/data/sumdb/inclusion.json");
const CONSISTENCY: &str = include_str!("../../../tests/data/sumdb/consistency.json");

#[test]
fn tree_notes_as_go() {
    for case in table(CASES)["trees"].as_array().unwrap() {
        match TreeHead::parse(case["text"].as_str().unwrap()) {
            Ok(head) => {
                assert_eq!(case["err"], "", "{case}");
                assert_eq!(case["N"], head.size);
                assert_eq!(case["hash"], head.root.to_string());
                assert_eq!(TreeHead::parse(&head.to_string()), Ok(head));
            }
            Err(error) => assert_eq!(case["err"], error.to_string(), "{case}"),
        }
    }
}

#[test]
fn tree_notes_at_the_limits() {
    let note = |size: u64| format!("go.sum database tree\n{size}\n{}\n", Hash::EMPTY_ROOT);
    assert_eq!(TreeHead::parse(&note(MAX_TREE_SIZE)).unwrap().size, MAX_TREE_SIZE);
    assert_eq!(TreeHead::parse(&note(MAX_TREE_SIZE + 1)), Err(TreeError));
    let mut long = note(7);
    long.push_str(&"x".repeat(MAX_TREE_TEXT - long.len()));
    assert!(TreeHead::parse(&long).is_ok());
    long.push('x');
    assert_eq!(TreeHead::parse(&long), Err(TreeError));
}

#[test]
fn stored_hash_indexes_as_go() {
    for case in table(CASES)["stored_hash_index"].as_array().unwrap() {
        let number = |key: &str| case[key].as_u64().unwrap();
        assert_eq!(stored_hash_index(number("level") as u8, number("n")), number("index"));
        assert_eq!(split(number("index")), (number("level") as u8, number("n")));
    }
}

#[test]
fn stored_hash_indexes_are_dense_and_reversible() {
    for index in 0..10_000 {
        let (level, n) = split(index);
        assert_eq!(stored_hash_index(level, n), index);
    }
    assert_eq!(stored_hash_index(0, MAX_TREE_SIZE), u64::MAX);
    assert_eq!(stored_hash_index(63, 0), u64::MAX);
    assert_eq!(split(stored_hash_index(62, 0)), (62, 0));
    assert_eq!(split(stored_hash_index(0, MAX_TREE_SIZE - 1)), (0, MAX_TREE_SIZE - 1));
}

/// A proof's hashes; none if one is not 32 bytes long, which no proof of ours can hold.
fn hashes(texts: &[String]) -> Option<Vec<Hash>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

/// A hash, made as long as it has to be: some probes use words instead of hashes, where equal words must stay equal.
fn padded(text: &str) -> Hash {
    let mut bytes = super::super::base64_decode(text).unwrap();
    assert!(bytes.len() <= HASH_BYTES);
    bytes.resize(HASH_BYTES, 0);
    Hash(bytes.try_into().unwrap())
}

#[test]
fn inclusion_proofs_as_merkle() {
    let cases = table(INCLUSION);
    for case in cases.as_array().unwrap() {
        let [root, record] = ["root", "leafHash"].map(|key| case[key].as_str().unwrap().parse());
        let verified = match (root, record, hashes(&strings(&case["proof"]))) {
            (Ok(root), Ok(record), Some(proof)) => {
                let tree = TreeHead { size: case["treeSize"].as_u64().unwrap(), root };
                verify_inclusion(&record, case["leafIdx"].as_u64().unwrap(), &tree, &proof).is_ok()
            }
            _ => false,
        };
        assert_eq!(case["wantErr"], !verified, "{case}");
    }
    assert_eq!(cases.as_array().unwrap().len(), 98);
}

#[test]
fn consistency_proofs_as_merkle() {
    let cases = table(CONSISTENCY);
    for case in cases.as_array().unwrap() {
        let head = |size: &str, root: &str| TreeHead {
            size: case[size].as_u64().unwrap(),
            root: padded(case[root].as_str().unwrap()),
        };
        let (old, new) = (head("size1", "root1"), head("size2", "root2"));
        let proof = hashes(&strings(&case["proof"]));
        let verified = proof.is_some_and(|proof| verify_consistency(&old, &new, &proof).is_ok());
        assert_eq!(case["wantErr"], !verified, "{case}");
    }
    assert_eq!(cases.as_array().unwrap().len(), 98);
}

/// The definition of RFC 6962 §2.1, over the hashes of the records.
fn merkle_tree_hash(records: &[Hash]) -> Hash {
    match records {
        [] => Hash::EMPTY_ROOT,
        [record] => *record,
        _ => {
            let k = records.len().next_power_of_two() / 2;
            node_hash(&merkle_tree_hash(&records[..k]), &merkle_tree_hash(&records[k..]))
        }
    }
}

fn flips(proof: &[Hash]) -> impl Iterator<Item = Vec<Hash>> {
    (0..proof.len()).map(|at| {
        let mut flipped = proof.to_vec();
        flipped[at].0[at % HASH_BYTES] ^= 1 << (at % 8);
        flipped
    })
}

#[test]
fn every_record_of_every_tree_up_to_100() {
    let log = Log::new(100);
    let records: Vec<Hash> = (0..100).map(|n| log.hash(stored_hash_index(0, n))).collect();
    for size in 0..=100 {
        let head = log.head_at(size);
        assert_eq!(head.root, merkle_tree_hash(&records[..size as usize]));
        for index in 0..size {
            let proof = log.proof(&ProofShape::inclusion(index, size).unwrap());
            let record = &records[index as usize];
            assert_eq!(verify_inclusion(record, index, &head, &proof), Ok(()));
            for flipped in flips(&proof) {
                assert!(verify_inclusion(record, index, &head, &flipped).is_err());
            }
            assert!(verify_inclusion(record, index ^ 1, &head, &proof).is_err());
            assert!(verify_inclusion(record, index, &head, &[&proof[..], &[*record]].concat()).is_err());
            if let Some((_, short)) = proof.split_last() {
                assert!(verify_inclusion(record, index, &head, short).is_err());
            }
        }
        assert!(ProofShape::inclusion(size, size).is_err());
    }
}

#[test]
fn every_pair_of_trees_up_to_100() {
    let log = Log::new(100);
    for new in 1..=100 {
        let newer = log.head_at(new);
        for old in 1..=new {
            let older = log.head_at(old);
            let proof = log.proof(&ProofShape::consistency(old, new).unwrap());
            assert_eq!(verify_consistency(&older, &newer, &proof), Ok(()), "{old} {new}");
            for flipped in flips(&proof) {
                assert!(verify_consistency(&older, &newer, &flipped).is_err());
            }
            assert!(verify_consistency(&older, &newer, &[&proof[..], &[older.root]].concat()).is_err());
            let forked = TreeHead { root: node_hash(&older.root, &older.root), ..older };
            assert!(verify_consistency(&forked, &newer, &proof).is_err());
            if old < new {
                assert!(verify_consistency(&newer, &older, &proof).is_err());
            }
        }
        let error = ProofError::Sizes { old: 0, new };
        assert_eq!(verify_consistency(&TreeHead::EMPTY, &newer, &[]), Err(error));
        assert_eq!(ProofShape::consistency(0, new), Err(error));
    }
}

#[test]
fn a_head_is_authentic_only_by_its_own_key() {
    let (ours, theirs) = (Signer::new("sum.example", 1), Signer::new("sum.example", 2));
    let head = Log::new(5).head();
    let note = ours.sign(&head.to_string());
    let opened = AuthenticHead::open(&note, &ours.verifier()).unwrap();
    assert_eq!((opened.head(), opened.message()), (&head, &note[..]));
    let error = AuthenticHead::open(&note, &theirs.verifier()).unwrap_err();
    assert_eq!(error.to_string(), "reading tree note: note has no verifiable signatures");
    let error = AuthenticHead::open(&ours.sign("no tree\n"), &ours.verifier()).unwrap_err();
    assert_eq!(error, HeadError::Tree(TreeError));
}

proptest! {
    #[test]
    fn coordinates_round_trip(level in 0u8..63, n in any::<u64>()) {
        let n = n % (MAX_TREE_SIZE >> level);
        prop_assert_eq!(split(stored_hash_index(level, n)), (level, n));
    }

    #[test]
    fn split_never_panics(index in any::<u64>()) {
        let (level, n) = split(index);
        let back = stored_hash_index(level, n);
        prop_assert!(back == index || back == u64::MAX);
    }

    #[test]
    fn tree_notes_never_panic(text in "(go.sum database tree\n)?[0-9+\n]{0,21}[A-Za-z0-9+/=\n]{0,50}") {
        if let Ok(head) = TreeHead::parse(&text) {
            prop_assert_eq!(TreeHead::parse(&head.to_string()), Ok(head));
        }
    }

    #[test]
    fn proofs_never_panic(
        old in any::<u64>(), new in any::<u64>(), index in any::<u64>(),
        proof in proptest::collection::vec(any::<[u8; 32]>(), 0..130),
    ) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash).collect();
        let tree = |size| TreeHead { size, root: Hash::EMPTY_ROOT };
        prop_assert!(verify_inclusion(&Hash::EMPTY_ROOT, index, &tree(new), &proof).is_err());
        if old != new {
            prop_assert!(verify_consistency(&tree(old), &tree(new), &proof).is_err());
        }
        for shape in [ProofShape::consistency(old, new), ProofShape::inclusion(index, new)].iter().flatten() {
            prop_assert!(shape.indexes().all(|index| index != u64::MAX));
        }
    }

    #[test]
    fn hashes_round_trip(bytes in any::<[u8; 32]>()) {
        let hash = Hash(bytes);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
    }
}
