//! What is written is read as the same; provenance never contradicts a certificate that says what it says; a statement joins the
//! zips that it names; a summary never passes that does not say so; nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::dirhash::H1;
use modanchor_core::provenance::agree::Vouched;
use modanchor_core::provenance::join::{By, Zip, joins};
use modanchor_core::provenance::slsa::{Fact, Provenance};
use modanchor_core::provenance::source::Repository;
use modanchor_core::provenance::statement::{MAX_SUBJECTS, PAYLOAD_TYPE, Statement};
use modanchor_core::provenance::vsa::Summary;

/// A certificate that vouches for `provenance`, word for word.
fn vouching(provenance: &Provenance) -> Option<Vouched> {
    let say = |fact| provenance.about(fact).next().map(|said| said.value.clone());
    let repository_uri = say(Fact::Repository)?;
    Some(Vouched {
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        builder: provenance.builder_id.clone(),
        builder_commit: None,
        runner: say(Fact::Runner),
        repository: Repository::parse(&repository_uri)?,
        repository_uri,
        commit: say(Fact::Commit),
        reference: say(Fact::Reference),
        trigger: say(Fact::Trigger),
        workflow: None,
        workflow_commit: say(Fact::WorkflowCommit),
        run: None,
        repository_id: say(Fact::RepositoryId),
        owner_id: say(Fact::OwnerId),
    })
}

fuzz_target!(|payload: &[u8]| {
    let Ok(statement) = Statement::parse(PAYLOAD_TYPE, payload) else {
        return;
    };
    let again = Statement::parse(PAYLOAD_TYPE, statement.to_json().to_string().as_bytes());
    let again = again.expect("what is written is read");
    // The predicate's fractions may lose their last digit.
    assert_eq!((again.format, again.subjects), (statement.format, statement.subjects.clone()));
    assert_eq!(again.predicate_type, statement.predicate_type);
    assert!((1..=MAX_SUBJECTS).contains(&statement.subjects.len()));
    for subject in &statement.subjects {
        if let Some(digest) = subject.digests.get("dirHash1") {
            let digest = modanchor_core::hex::decode(digest).expect("hexadecimal");
            let h1 = H1(digest.try_into().expect("256 bits"));
            assert_eq!(joins(&statement, &Zip { h1, sha256: None }), Ok(By::DirHash1));
        }
    }
    if Summary::parse(&statement).is_ok() {
        assert!(statement.predicate.values().any(|value| value == "PASSED"));
    }
    let Ok(provenance) = Provenance::parse(&statement) else {
        return;
    };
    assert_eq!(provenance.about(Fact::Builder).count(), 1);
    if let Some(vouched) = vouching(&provenance) {
        let agreement = vouched.compare(&provenance);
        assert!(agreement.confirmed.contains(&Fact::Builder));
        for found in agreement.contradictions {
            // Only where the predicate contradicts itself, or names another owner than the repository's.
            let values: Vec<_> = provenance.about(found.fact).map(|said| &said.value).collect();
            assert!(values.len() > 1 || found.fact == Fact::Owner, "{found}");
        }
    }
});
