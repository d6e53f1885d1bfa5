// NOTE FROM THE LEAD (15:08): the session (main: guest/src/verify/{signatures,blob}.rs) is written against this API. Please keep these names
// (replace this file by the real thing; improve what is behind them):
//
//   #[derive(Clone, Copy)] pub enum Subject<'a> { Statement /* joined elsewhere */, File(&'a Digests, Option<&'a [u8]>) }
//       (File with a DSSE bundle: the statement must have a subject with the file's sha256/384/512)
//   pub struct Requirements { pub log: bool, pub sct: bool, pub timestamp: bool /* a TSA's word must be there */,
//                             pub integrated_time: bool /* SET's time counts */ , + thresholds }
//   impl Requirements { pub fn public_good() -> Self; pub fn timestamped() -> Self; }        // Profile -> Requirements
//   #[derive(Default)] pub struct Witness { … }   // memory of a run: verified checkpoints, prepared anchors per root, …
//   pub fn verify(&Bundle, Subject<'_>, &TrustedRoot, &Requirements, now: jiff::Timestamp, &mut Witness) -> Result<Proven, SignatureError>
//   pub fn verify_with_key(&Bundle, Subject<'_>, &PublicKey, Option<&TrustedRoot>, &Requirements, now, &mut Witness) -> Result<Proven, SignatureError>
//   impl Proven { claims() -> Option<&Claims>; key_id() -> Option<[u8; 32]>; logged() -> impl Iterator<Item = &str> (base URLs, proven by inclusion);
//                 promised() -> same (SET only); times() -> impl Iterator<Item = Timestamp>; statement() -> Option<(&str payload type, &[u8])> }
//   pub enum Cause { Malformed, Signature, Untrusted, Unlogged, Log }
//   impl SignatureError { cause() -> Cause; kind() -> &'static str (short, per variant, for fingerprints);
//                         is_about_trust() -> bool (another trusted root may do better: no authority / log / TSA of that root known);
//                         needs_content() -> bool (pure Ed25519 over a digest); lacks_log_entry() -> bool (a Rekor look-up may help) }
//   and a variant SignatureError::NoRoot ("no trusted root is configured").
//! Written next.
