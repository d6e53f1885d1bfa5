//! The path from a certificate to an authority.
//!
//! Two parts, which rest on different things:
//!
//! - **The authorities' own certificates** come from trusted_root.json, whose every byte TUF or the user vouches for:
//!   an intermediate's as much as a root's. [`Anchors::new`] reads them once, and checks that each names the next as its
//!   issuer, so that a mixed-up file is noticed, and until when the whole chain is valid. Their signatures by each other
//!   would say nothing that is not believed already, and take as long as a bundle does. Of a chain that a user puts
//!   together from files only the root is believed: there, [`Anchors::of_chain`] verifies them.
//! - **The signer's certificate** is anybody's bytes. rustls-webpki takes it to one of those authorities: names,
//!   signature, validity, constraints, critical extensions, key usage. As it is anchored at the intermediate, one
//!   signature is checked for each certificate, however many bundles there are.
//!
//! Every certificate of the path, the root too, must be valid at the time of signing, and so must trusted_root.json's
//! own window (client-spec section 4.2: the hybrid model; sigstore-go does the same). No revocation: Fulcio's
//! certificates live ten minutes.

use std::time::Duration;

use der::asn1::ObjectIdentifier;
use jiff::Timestamp;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
    alg_id,
};
use sha2::{Digest as _, Sha256};
use webpki::{EndEntityCert, KeyUsage};

use super::certificate::{Certificate, CertificateError, MAX_CHAIN};
use super::key::{Hash, Kind, Message, PublicKey, Scheme};
use super::root::{Authority, Validity};

const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// What certificates are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Fulcio's.
    CodeSigning,
    /// A timestamp authority's.
    TimeStamping,
}

impl Purpose {
    fn oid(self) -> &'static [u8] {
        match self {
            Self::CodeSigning => CODE_SIGNING.as_bytes(),
            Self::TimeStamping => TIME_STAMPING.as_bytes(),
        }
    }

    /// Whether a signer's certificate may be used for it. For timestamps: for nothing else, and critically so (RFC 3161
    /// section 2.3).
    fn allows(self, leaf: &Certificate) -> bool {
        let usage = &leaf.usage;
        match self {
            Self::CodeSigning => usage.purposes.iter().any(|purpose| purpose == self.oid()),
            Self::TimeStamping => usage.critical && matches!(usage.purposes.as_slice(), [only] if only == self.oid()),
        }
    }

    /// Whether an authority's may be.
    fn allows_issuer(self, issuer: &Certificate) -> bool {
        let purposes = &issuer.usage.purposes;
        purposes.is_empty() || purposes.iter().any(|purpose| purpose == self.oid() || purpose == ANY_USAGE.as_bytes())
    }
}

/// Why authorities are not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// A certificate of theirs is not read.
    #[error("a certificate of the authority {uri}: {error}")]
    Certificate {
        /// Whose.
        uri: String,
        /// Why.
        error: CertificateError,
    },
    /// Their certificates are no chain.
    #[error("the certificates of the authority {uri} are no chain: {reason}")]
    Broken {
        /// Whose.
        uri: String,
        /// Why.
        reason: &'static str,
    },
}

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Signed before its validity.
    #[error("the certificate is valid from {from}, and the signature is of {at}")]
    NotYetValid {
        /// When was signed.
        at: Timestamp,
        /// From when.
        from: Timestamp,
    },
    /// Signed after it.
    #[error("the certificate expired at {until}, and the signature is of {at}")]
    Expired {
        /// When was signed.
        at: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// For another purpose.
    #[error("the certificate is not for this purpose: its extended key usage must be {0}")]
    Usage(&'static str),
    /// None of the authorities is believed at that time.
    #[error("the trusted root has no authority for {0}")]
    NoAuthority(Timestamp),
    /// Issued by somebody else.
    #[error("the certificate was issued by none of the trusted root's authorities")]
    UnknownIssuer,
    /// The issuer's name, and not its signature.
    #[error("the certificate's signature by its issuer does not verify")]
    BadSignature,
    /// An algorithm that is not supported (SHA-1), or another than the issuer's key has.
    #[error("the certificate is signed by an algorithm that is not supported, or that does not fit its issuer's key")]
    Algorithm,
    /// A critical extension that nobody knows here.
    #[error("the certificate has a critical extension that is not known")]
    CriticalExtension,
    /// More certificates than [`MAX_CHAIN`].
    #[error("more than {MAX_CHAIN} intermediate certificates")]
    TooManyIntermediates,
    /// Another rule of RFC 5280 section 6.
    #[error("the certificate's path to an authority breaks a rule of RFC 5280, section 6")]
    Refused,
}

/// A path that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'a> {
    /// Which of the authorities that [`Anchors::new`] was given.
    pub authority: usize,
    /// Its URI.
    pub uri: &'a str,
    /// SHA-256 of the issuer's SubjectPublicKeyInfo: what an SCT is bound to.
    pub issuer_key_hash: [u8; 32],
    /// When the same path holds: the times that all of its certificates and the trusted root's window have in common. None where
    /// a certificate on it came with the signature, whose dates are not looked at here.
    pub window: Option<Validity>,
}

/// Authorities, ready to be asked many times.
#[derive(Debug, Clone)]
pub struct Anchors {
    purpose: Purpose,
    authorities: Vec<Prepared>,
}

/// One authority.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    index: usize,
    uri: String,
    validity: Validity,
    /// Its own signer, where the chain begins with one: a timestamp authority's.
    pub(super) signer: Option<Certificate>,
    issuers: Vec<Issuer>,
}

#[derive(Debug, Clone)]
struct Issuer {
    anchor: TrustAnchor<'static>,
    key: PublicKey,
    key_hash: [u8; 32],
    /// When it and everything above it is valid.
    from: Timestamp,
    until: Timestamp,
}

impl Prepared {
    /// The times that this authority's window, its certificates from `issuer` up and `leaf` have in common.
    fn window(&self, issuer: &Issuer, leaf: &Certificate) -> Validity {
        let until = issuer.until.min(leaf.not_after);
        Validity {
            start: self.validity.start.max(issuer.from).max(leaf.not_before),
            end: Some(self.validity.end.map_or(until, |end| end.min(until))),
        }
    }
}

impl Anchors {
    /// Reads the authorities' certificates.
    ///
    /// # Errors
    ///
    /// [`AnchorError`]: one that is not read, or that does not name the next as its issuer.
    pub fn new(authorities: &[Authority], purpose: Purpose) -> Result<Self, AnchorError> {
        let authorities = authorities.iter().enumerate().map(|(index, authority)| prepare(index, authority, purpose));
        Ok(Self { purpose, authorities: authorities.collect::<Result<_, _>>()? })
    }

    /// Of one authority, of whose certificates only the last one is believed.
    ///
    /// # Errors
    ///
    /// [`AnchorError`]: also for one whose signature by the next does not verify.
    pub fn of_chain(authority: &Authority, purpose: Purpose) -> Result<Self, AnchorError> {
        let anchors = Self::new(std::slice::from_ref(authority), purpose)?;
        let chain = authority.chain.iter().map(|der| Certificate::parse(der));
        let chain = chain.collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| AnchorError::Certificate { uri: authority.uri.clone(), error })?;
        if chain.windows(2).all(|pair| is_signed_by(&pair[0], &pair[1].key)) {
            return Ok(anchors);
        }
        let reason = "a signature by the next does not verify";
        Err(AnchorError::Broken { uri: authority.uri.clone(), reason })
    }

    /// The authorities that are believed at that time.
    pub(super) fn believed(&self, at: Timestamp) -> impl Iterator<Item = &Prepared> {
        self.authorities.iter().filter(move |authority| authority.validity.contains(at))
    }

    /// Takes a signer's certificate to an authority, at the time of signing. `intermediates` (DER) are the signer's,
    /// and need not be good for anything.
    ///
    /// # Errors
    ///
    /// [`ChainError`]; of several authorities, that of the one that came closest.
    pub fn verify(&self, leaf: &Certificate, intermediates: &[Vec<u8>], at: Timestamp) -> Result<Path<'_>, ChainError> {
        let mut worst = ChainError::NoAuthority(at);
        for authority in self.believed(at) {
            match self.verify_by(authority, leaf, intermediates, at) {
                Ok(path) => return Ok(path),
                Err(error) if matches!(worst, ChainError::NoAuthority(_) | ChainError::UnknownIssuer) => worst = error,
                Err(_) => {}
            }
        }
        Err(worst)
    }

    /// The same, to that authority.
    pub(super) fn verify_by<'a>(
        &self,
        authority: &'a Prepared,
        leaf: &Certificate,
        intermediates: &[Vec<u8>],
        at: Timestamp,
    ) -> Result<Path<'a>, ChainError> {
        if intermediates.len() > MAX_CHAIN {
            return Err(ChainError::TooManyIntermediates);
        }
        // To the fraction of a second, which rustls-webpki has not.
        if at < leaf.not_before {
            return Err(ChainError::NotYetValid { at, from: leaf.not_before });
        }
        if at > leaf.not_after {
            return Err(ChainError::Expired { at, until: leaf.not_after });
        }
        if !self.purpose.allows(leaf) {
            return Err(ChainError::Usage(match self.purpose {
                Purpose::CodeSigning => "codeSigning",
                Purpose::TimeStamping => "timeStamping alone, and critical",
            }));
        }
        let der = CertificateDer::from(leaf.der());
        let certificate = EndEntityCert::try_from(&der).map_err(|error| refused(&error))?;
        let given: Vec<CertificateDer<'_>> =
            intermediates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let seconds = u64::try_from(at.as_second()).map_err(|_| ChainError::Refused)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let mut worst = ChainError::UnknownIssuer;
        for issuer in authority.issuers.iter().filter(|issuer| issuer.from <= at && at <= issuer.until) {
            // The signer's own usage was checked: authorities may leave it open.
            let usage = KeyUsage::required_if_present(self.purpose.oid());
            let anchors = std::slice::from_ref(&issuer.anchor);
            let algorithms = ALL.each_ref().map(|algorithm| By { algorithm, issuer: &issuer.key });
            let algorithms = algorithms.each_ref().map(|by| by as &dyn SignatureVerificationAlgorithm);
            match certificate.verify_for_usage(&algorithms, anchors, &given, time, usage, None, None) {
                Ok(path) => {
                    let between = path.intermediate_certificates().next();
                    let window = between.is_none().then(|| authority.window(issuer, leaf));
                    let issuer_key_hash = between
                        .map_or(issuer.key_hash, |issuer| Sha256::digest(issuer.subject_public_key_info()).into());
                    return Ok(Path { authority: authority.index, uri: &authority.uri, issuer_key_hash, window });
                }
                Err(error) => {
                    if worst == ChainError::UnknownIssuer {
                        worst = refused(&error);
                    }
                }
            }
        }
        Err(worst)
    }
}

fn prepare(index: usize, authority: &Authority, purpose: Purpose) -> Result<Prepared, AnchorError> {
    let uri = &authority.uri;
    let unread = |error| AnchorError::Certificate { uri: uri.clone(), error };
    let broken = |reason| AnchorError::Broken { uri: uri.clone(), reason };
    if authority.chain.len() > MAX_CHAIN {
        return Err(unread(CertificateError::TooManyCertificates));
    }
    let mut chain = Vec::with_capacity(authority.chain.len());
    for der in &authority.chain {
        chain.push(Certificate::parse(der).map_err(unread)?);
    }
    for pair in chain.windows(2) {
        if pair[0].issuer != pair[1].subject {
            return Err(broken("one is not issued by the next"));
        }
    }
    let signer = match (purpose, chain.first()) {
        (Purpose::TimeStamping, Some(first)) if !first.is_ca => Some(chain.remove(0)),
        _ => None,
    };
    if chain.is_empty() {
        return Err(broken("there is no certificate of an issuer"));
    }
    let mut issuers = Vec::with_capacity(chain.len());
    for (below, issuer) in chain.iter().enumerate() {
        if !issuer.is_ca {
            return Err(broken("one of them may not issue certificates"));
        }
        if issuer.path_length.is_some_and(|length| usize::from(length) < below) {
            return Err(broken("there are more of them than one allows"));
        }
        if !purpose.allows_issuer(issuer) {
            return Err(broken("one of them is for another purpose"));
        }
        if below > 0 && issuer.has_name_constraints {
            return Err(broken("one of them has name constraints, which only the one that issues may have"));
        }
        let der = CertificateDer::from(issuer.der());
        let anchor =
            webpki::anchor_from_trusted_cert(&der).map_err(|_| broken("one of them is no certificate of an issuer"))?;
        let above = &chain[below..];
        issuers.push(Issuer {
            anchor: anchor.to_owned(),
            key: issuer.key.clone(),
            key_hash: issuer.key.id(),
            from: above.iter().map(|issuer| issuer.not_before).fold(issuer.not_before, Timestamp::max),
            until: above.iter().map(|issuer| issuer.not_after).fold(issuer.not_after, Timestamp::min),
        });
    }
    Ok(Prepared { index, uri: uri.clone(), validity: authority.validity, signer, issuers })
}

fn is_signed_by(certificate: &Certificate, issuer: &PublicKey) -> bool {
    ALL.iter().any(|algorithm| {
        algorithm.kind == issuer.kind()
            && *algorithm.signature == *certificate.algorithm
            && issuer.verify(algorithm.scheme, Message::Bytes(certificate.tbs()), &certificate.signature).is_ok()
    })
}

fn refused(error: &webpki::Error) -> ChainError {
    match error {
        webpki::Error::UnknownIssuer => ChainError::UnknownIssuer,
        webpki::Error::InvalidSignatureForPublicKey => ChainError::BadSignature,
        webpki::Error::UnsupportedSignatureAlgorithmContext(_)
        | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => ChainError::Algorithm,
        webpki::Error::UnsupportedCriticalExtension => ChainError::CriticalExtension,
        _ => ChainError::Refused,
    }
}

/// A signature algorithm of certificates.
#[derive(Debug)]
struct Algorithm {
    kind: Kind,
    scheme: Scheme,
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
}

/// The same for rustls-webpki, which has the keys as bytes.
#[derive(Debug)]
struct By<'a> {
    algorithm: &'a Algorithm,
    /// Signs most of the certificates, and is read already.
    issuer: &'a PublicKey,
}

impl SignatureVerificationAlgorithm for By<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let Algorithm { kind, scheme, .. } = *self.algorithm;
        let message = Message::Bytes(message);
        let verified = if self.issuer.is(kind, key) {
            self.issuer.verify(scheme, message, signature)
        } else {
            PublicKey::verify_raw(kind, key, scheme, message, signature)
        };
        verified.map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature
    }
}

const fn ecdsa(kind: Kind, key: AlgorithmIdentifier, hash: Hash) -> Algorithm {
    let signature = match hash {
        Hash::Sha256 => alg_id::ECDSA_SHA256,
        Hash::Sha384 => alg_id::ECDSA_SHA384,
        Hash::Sha512 => alg_id::ECDSA_SHA512,
    };
    Algorithm { kind, scheme: Scheme::Ecdsa(hash), key, signature }
}

const fn rsa(scheme: Scheme, signature: AlgorithmIdentifier) -> Algorithm {
    Algorithm { kind: Kind::Rsa, scheme, key: alg_id::RSA_ENCRYPTION, signature }
}

static ALL: [Algorithm; 16] = [
    ecdsa(Kind::P256, alg_id::ECDSA_P256, Hash::Sha256),
    ecdsa(Kind::P256, alg_id::ECDSA_P256, Hash::Sha384),
    ecdsa(Kind::P256, alg_id::ECDSA_P256, Hash::Sha512),
    ecdsa(Kind::P384, alg_id::ECDSA_P384, Hash::Sha256),
    ecdsa(Kind::P384, alg_id::ECDSA_P384, Hash::Sha384),
    ecdsa(Kind::P384, alg_id::ECDSA_P384, Hash::Sha512),
    ecdsa(Kind::P521, alg_id::ECDSA_P521, Hash::Sha256),
    ecdsa(Kind::P521, alg_id::ECDSA_P521, Hash::Sha384),
    ecdsa(Kind::P521, alg_id::ECDSA_P521, Hash::Sha512),
    Algorithm { kind: Kind::Ed25519, scheme: Scheme::Ed25519, key: alg_id::ED25519, signature: alg_id::ED25519 },
    rsa(Scheme::RsaPkcs1(Hash::Sha256), alg_id::RSA_PKCS1_SHA256),
    rsa(Scheme::RsaPkcs1(Hash::Sha384), alg_id::RSA_PKCS1_SHA384),
    rsa(Scheme::RsaPkcs1(Hash::Sha512), alg_id::RSA_PKCS1_SHA512),
    rsa(Scheme::RsaPss(Hash::Sha256), alg_id::RSA_PSS_SHA256),
    rsa(Scheme::RsaPss(Hash::Sha384), alg_id::RSA_PSS_SHA384),
    rsa(Scheme::RsaPss(Hash::Sha512), alg_id::RSA_PSS_SHA512),
];

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::testing::{Extension, Instance, Key, Leaf, tlv};
    use super::*;

    fn authority(instance: &Instance, chain: Vec<Vec<u8>>) -> Authority {
        let validity = Validity { start: instance.now - SignedDuration::from_hours(1), end: None };
        Authority { uri: "https://fulcio.example".to_owned(), chain, validity }
    }

    fn anchors(instance: &Instance) -> Anchors {
        Anchors::new(&[authority(instance, instance.chain())], Purpose::CodeSigning).expect("authorities")
    }

    fn leaf(instance: &Instance) -> Leaf {
        Leaf::person(instance, "a@example.com", "https://issuer.example")
    }

    fn verify(anchors: &Anchors, instance: &Instance, leaf: &Leaf, at: Timestamp) -> Result<[u8; 32], ChainError> {
        let certificate = Certificate::parse(&instance.issue(leaf)).expect("a certificate");
        anchors.verify(&certificate, &[], at).map(|path| path.issuer_key_hash)
    }

    #[test]
    fn a_signer_is_taken_to_its_authority() {
        let instance = Instance::new(1);
        let (anchors, leaf) = (anchors(&instance), leaf(&instance));
        let at = |at| verify(&anchors, &instance, &leaf, at);
        let key = Ok(instance.intermediate.public().id());
        assert_eq!(at(instance.now), key);
        // Both ends belong to the validity, and nothing beyond them.
        let instant = SignedDuration::from_nanos(1);
        assert_eq!(at(leaf.not_before), key);
        assert_eq!(at(leaf.not_after), key);
        let early = leaf.not_before - instant;
        assert_eq!(at(early), Err(ChainError::NotYetValid { at: early, from: leaf.not_before }));
        let late = leaf.not_after + instant;
        assert_eq!(at(late), Err(ChainError::Expired { at: late, until: leaf.not_after }));
        // Before the trusted root's own window.
        let before = instance.now - SignedDuration::from_hours(2);
        assert_eq!(at(before), Err(ChainError::NoAuthority(before)));
        let other = Instance::new(11);
        assert_eq!(verify(&anchors, &other, &self::leaf(&other), other.now), Err(ChainError::BadSignature));
    }

    #[test]
    fn of_several_authorities_the_right_one_is_found() {
        let (one, other) = (Instance::new(1), Instance::new(11));
        let mut ended = authority(&one, one.chain());
        ended.validity.end = Some(one.now - SignedDuration::from_secs(1));
        let list = [ended, authority(&other, other.chain()), authority(&one, one.chain())];
        let anchors = Anchors::new(&list, Purpose::CodeSigning).expect("authorities");
        let certificate = Certificate::parse(&one.issue(&leaf(&one))).expect("a certificate");
        assert_eq!(anchors.verify(&certificate, &[], one.now).map(|path| path.authority), Ok(2));
    }

    #[test]
    fn an_authority_may_be_a_root_alone_with_the_signers_intermediates() {
        let instance = Instance::new(1);
        let chain = instance.chain();
        let anchors =
            Anchors::new(&[authority(&instance, vec![chain[1].clone()])], Purpose::CodeSigning).expect("authorities");
        let certificate = Certificate::parse(&instance.issue(&leaf(&instance))).expect("a certificate");
        let verify =
            |given: &[Vec<u8>]| anchors.verify(&certificate, given, instance.now).map(|path| path.issuer_key_hash);
        assert_eq!(verify(&[]), Err(ChainError::UnknownIssuer));
        assert_eq!(verify(&chain[..1]), Ok(instance.intermediate.public().id()));
        // Rubbish among them does no harm and no good.
        assert_eq!(verify(&[vec![1, 2, 3], chain[0].clone()]), Ok(instance.intermediate.public().id()));
        assert_eq!(verify(&vec![chain[0].clone(); MAX_CHAIN + 1]), Err(ChainError::TooManyIntermediates));
        let forged = Instance { root: Key::new(Kind::P384, 99), ..instance.clone() }.chain();
        assert_eq!(verify(&forged[..1]), Err(ChainError::BadSignature));
    }

    #[test]
    fn what_a_signers_certificate_must_not_be() {
        let instance = Instance::new(1);
        let anchors = anchors(&instance);
        let with = |change: fn(&mut Leaf)| {
            let mut leaf = leaf(&instance);
            change(&mut leaf);
            verify(&anchors, &instance, &leaf, instance.now).map(|_| ())
        };
        let usage = Err(ChainError::Usage("codeSigning"));
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|leaf| drop(leaf.extensions.remove(0))), usage);
        assert_eq!(with(|leaf| leaf.extensions[0] = Extension::usage(false, &["1.3.6.1.5.5.7.3.8"])), usage);
        // anyExtendedKeyUsage is not codeSigning.
        assert_eq!(with(|leaf| leaf.extensions[0] = Extension::usage(false, &["2.5.29.37.0"])), usage);
        assert_eq!(with(|leaf| leaf.extensions.push(Extension::ca(None))), Err(ChainError::Refused));
        let unknown = |leaf: &mut Leaf| leaf.extensions.push(Extension::new("1.2.3", true, Vec::new()));
        assert_eq!(with(unknown), Err(ChainError::CriticalExtension));
    }

    #[test]
    fn no_changed_byte_of_a_certificate_verifies() {
        let instance = Instance::new(1);
        let anchors = anchors(&instance);
        let der = instance.issue(&leaf(&instance));
        let unchanged = || anchors.verify(&Certificate::parse(&der).expect("a certificate"), &[], instance.now).is_ok();
        assert!(unchanged());
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 1 << (at % 8);
            let verdict =
                Certificate::parse(&changed).map(|certificate| anchors.verify(&certificate, &[], instance.now).is_ok());
            assert_ne!(verdict, Ok(true), "byte {at}");
        }
        // By the same authority's key, which has been asked often enough to be known.
        assert!(unchanged());
    }

    #[test]
    fn authorities_that_are_no_chain_are_noticed() {
        let instance = Instance::new(1);
        let reason = |chain: Vec<Vec<u8>>| match Anchors::of_chain(&authority(&instance, chain), Purpose::CodeSigning) {
            Err(AnchorError::Broken { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        let chain = instance.chain();
        let signed = |change: fn(&mut super::super::testing::Template)| {
            let mut template = instance.intermediate_template();
            change(&mut template);
            vec![template.sign(&instance.root), chain[1].clone()]
        };
        assert_eq!(reason(vec![chain[1].clone(), chain[0].clone()]), "one is not issued by the next");
        let other = Instance::new(11).chain();
        assert_eq!(reason(vec![chain[0].clone(), other[1].clone()]), "a signature by the next does not verify");
        assert_eq!(reason(Vec::new()), "there is no certificate of an issuer");
        assert_eq!(reason(signed(|ca| drop(ca.extensions.remove(0)))), "one of them may not issue certificates");
        let usage = |ca: &mut super::super::testing::Template| {
            ca.extensions[1] = Extension::usage(false, &["1.3.6.1.5.5.7.3.8"])
        };
        assert_eq!(reason(signed(usage)), "one of them is for another purpose");
        let mut root = instance.root_template();
        root.extensions = vec![Extension::ca(Some(0))];
        let short = vec![chain[0].clone(), root.sign(&instance.root)];
        assert_eq!(reason(short), "there are more of them than one allows");
        root.extensions = vec![Extension::ca(None), Extension::new("2.5.29.30", true, tlv(0x30, &[]))];
        let limited = vec![chain[0].clone(), root.sign(&instance.root)];
        assert!(reason(limited).starts_with("one of them has name constraints"));
        let unread = Anchors::new(&[authority(&instance, vec![vec![1]])], Purpose::CodeSigning);
        assert!(matches!(unread, Err(AnchorError::Certificate { error: CertificateError::Malformed("outline"), .. })));
        let many = Anchors::new(&[authority(&instance, vec![vec![1]; MAX_CHAIN + 1])], Purpose::CodeSigning);
        assert!(matches!(many, Err(AnchorError::Certificate { error: CertificateError::TooManyCertificates, .. })));
    }

    #[test]
    fn an_authoritys_own_certificates_must_be_valid_then() {
        let instance = Instance::new(1);
        for expired in [0, 1] {
            let mut templates = [instance.intermediate_template(), instance.root_template()];
            templates[expired].not_after = instance.now - SignedDuration::from_secs(1);
            let chain = templates.map(|template| template.sign(&instance.root));
            let anchors =
                Anchors::new(&[authority(&instance, chain.to_vec())], Purpose::CodeSigning).expect("authorities");
            let at = |at| verify(&anchors, &instance, &leaf(&instance), at).map(|_| ());
            assert_eq!(at(instance.now - SignedDuration::from_secs(1)), Ok(()));
            assert_eq!(at(instance.now), Err(ChainError::UnknownIssuer));
        }
    }
}
