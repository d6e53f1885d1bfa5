//! ECDSA by a key that is asked often: a log's, an authority's. They are the same for every bundle, and most of what a
//! bundle costs is their curve's arithmetic.
//!
//! A signature (r, s) over the digest z by the key Q is good if r is the x coordinate, mod n, of `u1·G + u2·Q`, where
//! `u1 = z/s` and `u2 = r/s`. For a Q that nobody has seen before that takes a doubling of a point for each bit of n.
//! For a Q that comes again, its multiples by every digit at every place are kept (a fixed-window table), and what is
//! left is one addition for each digit: less than a third of the work.
//!
//! # Security
//!
//! - The verdict is to be the library's, `ecdsa`'s, for every key, digest and signature. What is not the sum of two
//!   multiples is done by its types and in its order: [`Signature`] holds no r or s that is zero or not below n; the
//!   digest becomes a number as there; the point at infinity has x = 0, which no r is. Tests compare the two, also
//!   where both are at an edge.
//! - Points, their addition and arithmetic mod n are the library's too. Its formulas of addition are complete (Renes,
//!   Costello, Batina 2015): no two points need to be handled on their own, equal ones and infinity neither.
//! - A table is made of a key that the library has read (a point of the curve, not infinity) by adding it to itself,
//!   and is never read from anywhere.
//! - Keys, digests and signatures are public, so that time and memory accesses may depend on them.
//! - Who may cause tables: only keys that live as long as a trusted root, or that the user gives, are asked often
//!   enough. A signer's key is read anew with each certificate. [`MAX_TABLES`] bounds the memory whatever happens.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ecdsa::elliptic_curve::bigint::{BitOps as _, Encoding as _};
use ecdsa::elliptic_curve::ff::PrimeField as _;
use ecdsa::elliptic_curve::group::{Curve as _, Group as _};
use ecdsa::elliptic_curve::ops::{Invert as _, Reduce as _};
use ecdsa::elliptic_curve::point::AffineCoordinates as _;
use ecdsa::elliptic_curve::scalar::IsHigh as _;
use ecdsa::elliptic_curve::{CurveArithmetic, ProjectivePoint, PublicKey, Scalar};
use ecdsa::signature::hazmat::PrehashVerifier as _;
use ecdsa::{EcdsaCurve, Signature, VerifyingKey};

/// After how many signatures a key gets a table, which takes about as long to make as these take: so that no number of
/// them takes more than twice as long as it would have by the better way, and a few take no longer.
pub(super) const USES: usize = 5;

/// How many tables there may be, besides one for the generator of each curve. One has 80 kB for P-256 and 180 kB for
/// P-384. Sigstore's public instance has seven keys and GitHub's twelve, of which few sign in the same year.
pub(super) const MAX_TABLES: usize = 16;

/// How many bits a digit has. One more makes a table for 1.7 times the price of this, and saves a sixth of the
/// additions: that pays from a hundred bundles on.
const DIGIT: u32 = 5;

/// What one is worth in the next place.
const PLACE: usize = 1 << DIGIT;

/// How many multiples are kept for each place: a digit is from -16 to 16, and a negative one is subtracted.
const MULTIPLES: usize = PLACE / 2;

/// How many tables there are.
static TABLES: AtomicUsize = AtomicUsize::new(0);

/// A curve with signatures, whose numbers are big-endian as bytes.
pub(super) trait Curve: EcdsaCurve + CurveArithmetic {
    /// The multiples of its generator.
    fn generator() -> &'static Multiples<Self>;
}

impl Curve for p256::NistP256 {
    fn generator() -> &'static Multiples<Self> {
        static GENERATOR: OnceLock<Multiples<p256::NistP256>> = OnceLock::new();
        GENERATOR.get_or_init(|| Multiples::of(p256::ProjectivePoint::GENERATOR))
    }
}

impl Curve for p384::NistP384 {
    fn generator() -> &'static Multiples<Self> {
        static GENERATOR: OnceLock<Multiples<p384::NistP384>> = OnceLock::new();
        GENERATOR.get_or_init(|| Multiples::of(p384::ProjectivePoint::GENERATOR))
    }
}

/// A key, which gets a table once it was asked [`USES`] times.
pub(super) struct KnownKey<C: Curve> {
    key: VerifyingKey<C>,
    uses: AtomicUsize,
    /// None: there were [`MAX_TABLES`] then.
    table: OnceLock<Option<Table<C>>>,
}

impl<C: Curve> KnownKey<C> {
    /// Of a key that is on its curve.
    pub(super) fn new(key: VerifyingKey<C>) -> Self {
        Self { key, uses: AtomicUsize::new(0), table: OnceLock::new() }
    }

    /// Whether that is its signature over that digest.
    pub(super) fn verify(&self, digest: &[u8], signature: &Signature<C>) -> bool {
        match self.table() {
            Some(table) => table.multiples.verify(digest, signature),
            None => self.key.verify_prehash(digest, signature).is_ok(),
        }
    }

    /// The table, once there is one. Counts the uses until then.
    fn table(&self) -> Option<&Table<C>> {
        if let Some(table) = self.table.get() {
            return table.as_ref();
        }
        if self.uses.fetch_add(1, Relaxed) < USES {
            return None;
        }
        self.table.get_or_init(|| Table::new(&self.key, &TABLES)).as_ref()
    }
}

/// A key's multiples, which are counted as long as they live.
struct Table<C: Curve> {
    multiples: Multiples<C>,
    tables: &'static AtomicUsize,
}

impl<C: Curve> Table<C> {
    fn new(key: &VerifyingKey<C>, tables: &'static AtomicUsize) -> Option<Self> {
        let more = |count| (count < MAX_TABLES).then_some(count + 1);
        tables.fetch_update(Relaxed, Relaxed, more).ok()?;
        Some(Self { multiples: Multiples::of((*PublicKey::from(key).as_affine()).into()), tables })
    }
}

impl<C: Curve> Drop for Table<C> {
    fn drop(&mut self) {
        self.tables.fetch_sub(1, Relaxed);
    }
}

/// For each place, from the lowest: a point times [`PLACE`] to the power of the place, once, twice, … [`MULTIPLES`]
/// times.
pub(super) struct Multiples<C: CurveArithmetic>(Vec<ProjectivePoint<C>>);

impl<C: Curve> Multiples<C> {
    fn of(point: ProjectivePoint<C>) -> Self {
        // The highest has a bit less than the others, so that its digit and a carry are no more than there are
        // multiples.
        let places = (C::ORDER.bit_width() / DIGIT + 1) as usize;
        let mut multiples = Vec::with_capacity(places * MULTIPLES);
        let mut once = point;
        for _ in 0..places {
            let mut multiple = once;
            multiples.push(multiple);
            for _ in 1..MULTIPLES {
                multiple += once;
                multiples.push(multiple);
            }
            once = multiple.double();
        }
        Self(multiples)
    }

    /// As `ecdsa::hazmat::verify_prehashed`, step by step.
    fn verify(&self, digest: &[u8], signature: &Signature<C>) -> bool {
        let (r, s) = signature.split_scalars();
        if C::NORMALIZE_S && s.is_high().into() {
            return false;
        }
        let inverse = *s.invert_vartime();
        let mut sum = ProjectivePoint::<C>::identity();
        C::generator().add_to(&mut sum, &(to_scalar::<C>(digest) * inverse));
        self.add_to(&mut sum, &(*r * inverse));
        // Of infinity: 0, which r is not.
        *r == to_scalar::<C>(&sum.to_affine().x())
    }

    /// Adds the point times a number to a sum.
    fn add_to(&self, sum: &mut ProjectivePoint<C>, number: &Scalar<C>) {
        let number = number.to_repr();
        let mut bytes = number.iter().rev();
        let (mut bits, mut count) = (0, 0);
        let mut carry = 0;
        for multiples in self.0.chunks_exact(MULTIPLES) {
            if count < DIGIT {
                bits |= u32::from(bytes.next().copied().unwrap_or_default()) << count;
                count += 8;
            }
            // From 0 to 32.
            let digit = bits as usize % PLACE + carry;
            bits >>= DIGIT;
            count -= DIGIT;
            carry = usize::from(digit > MULTIPLES);
            match digit {
                0 | PLACE => {}
                1..=MULTIPLES => *sum += multiples[digit - 1],
                // One of the next place, less this.
                _ => *sum -= multiples[PLACE - digit - 1],
            }
        }
    }
}

/// As `ecdsa` reads a digest or an x coordinate: the leftmost bits, as many as n has, mod n.
fn to_scalar<C: Curve>(bytes: &[u8]) -> Scalar<C> {
    let bits = C::ORDER.bit_width();
    let bytes = &bytes[..bytes.len().min(bits.div_ceil(8) as usize)];
    Scalar::<C>::reduce(&C::Uint::from_be_slice_truncated(bytes, bits))
}

#[cfg(test)]
mod tests {
    use ecdsa::elliptic_curve::ff::Field as _;
    use ecdsa::elliptic_curve::{FieldBytes, NonZeroScalar};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A key, and how it verifies by its table and by the library.
    struct Both<C: Curve> {
        secret: Scalar<C>,
        key: VerifyingKey<C>,
        table: Multiples<C>,
    }

    impl<C: Curve> Both<C> {
        fn new(secret: Scalar<C>) -> Self {
            let point = ProjectivePoint::<C>::generator() * secret;
            let key = PublicKey::<C>::from_affine(point.to_affine()).expect("a secret that is not zero").into();
            Self { secret, key, table: Multiples::of(point) }
        }

        /// Whether a signature verifies, which both say.
        fn verify(&self, digest: &[u8], signature: &Signature<C>) -> bool {
            let verified = self.table.verify(digest, signature);
            assert_eq!(verified, self.key.verify_prehash(digest, signature).is_ok(), "{digest:?} {signature:?}");
            verified
        }

        /// The signature of a digest with that nonce.
        fn sign(&self, digest: &[u8], nonce: Scalar<C>) -> Signature<C> {
            let r = to_scalar::<C>(&(ProjectivePoint::<C>::generator() * nonce).to_affine().x());
            let s = *inverse::<C>(nonce) * (to_scalar::<C>(digest) + r * self.secret);
            Signature::from_scalars(r, s).expect("neither is zero")
        }
    }

    fn inverse<C: Curve>(number: Scalar<C>) -> NonZeroScalar<C> {
        NonZeroScalar::<C>::new(number).expect("not zero").invert_vartime()
    }

    /// Numbers with a digit, a carry or a length at an edge.
    fn edges<C: Curve>() -> Vec<Scalar<C>> {
        let small = [0, 1, 2, 15, 16, 17, 31, 32, 33, 511, 512, 513, 1023, 1024, 1025];
        let mut numbers: Vec<Scalar<C>> = small.map(Scalar::<C>::from).into();
        let bytes = C::ORDER.bit_width() as usize / 8;
        // Each digit 16, 17 or 31; 0 and 31 in turn.
        for pattern in
            [[0x84, 0x21, 0x08, 0x42, 0x10], [0x8c, 0x63, 0x18, 0xc6, 0x31], [0xff; 5], [0x07, 0xc1, 0xf0, 0x7c, 0x1f]]
        {
            let repeated = pattern.repeat(bytes.div_ceil(5));
            numbers.push(to_scalar::<C>(&repeated[repeated.len() - bytes..]));
        }
        for bit in 0..bytes * 8 {
            let mut power = vec![0; bytes];
            power[bytes - 1 - bit / 8] = 1 << (bit % 8);
            numbers.push(to_scalar::<C>(&power));
        }
        let negative: Vec<Scalar<C>> = numbers.iter().map(|number| -*number).collect();
        numbers.extend(negative);
        numbers
    }

    fn multiples_are_right<C: Curve>() {
        let point = ProjectivePoint::<C>::generator() * Scalar::<C>::from(7);
        let table = Multiples::<C>::of(point);
        for number in edges::<C>() {
            let mut sum = ProjectivePoint::<C>::generator();
            table.add_to(&mut sum, &number);
            assert_eq!(sum, ProjectivePoint::<C>::generator() + point * number, "{number:?}");
            let mut sum = ProjectivePoint::<C>::identity();
            C::generator().add_to(&mut sum, &number);
            assert_eq!(sum, ProjectivePoint::<C>::generator() * number, "{number:?}");
        }
    }

    #[test]
    fn multiples_are_those_of_the_library() {
        multiples_are_right::<p256::NistP256>();
        multiples_are_right::<p384::NistP384>();
    }

    fn edges_are_judged_alike<C: Curve>() {
        let both = Both::<C>::new(Scalar::<C>::from(0x1234_5678_9abc));
        let (one, nonce) = (Scalar::<C>::ONE, Scalar::<C>::from(3));
        let r = to_scalar::<C>(&(ProjectivePoint::<C>::generator() * nonce).to_affine().x());
        // A digest that is zero or not below n, and those of every hash function, short ones and long ones.
        for length in [0, 1, 20, 31, 32, 33, 47, 48, 49, 64, 99] {
            for byte in [0, 1, 0x80, 0xff] {
                let digest = vec![byte; length];
                let signature = both.sign(&digest, nonce);
                let (r, s) = (*signature.r(), *signature.s());
                let with = |r, s| both.verify(&digest, &Signature::from_scalars(r, s).expect("neither is zero"));
                assert!(with(r, s), "{digest:?}");
                // The one other form that ECDSA allows.
                assert!(with(r, -s), "{digest:?}");
                for (r, s) in [(r, one), (r, -one), (one, s), (-one, s), (-r, s), (r + one, s), (r, s + one), (s, r)] {
                    assert!(!with(r, s), "{digest:?} {r:?} {s:?}");
                }
            }
        }
        // u1·G and u2·Q are the same point, or each other's negative: their sum is infinity, whatever r is.
        let product = r * both.secret;
        let digest = product.to_repr();
        assert!(both.verify(&digest, &both.sign(&digest, nonce)));
        let digest = (-product).to_repr();
        for s in [one, -one, nonce, r] {
            assert!(!both.verify(&digest, &Signature::from_scalars(r, s).expect("neither is zero")), "{s:?}");
        }
        // Q is G or its negative, or the nonce is one of the table's places.
        for secret in [one, -one, Scalar::<C>::from(16), Scalar::<C>::from(32)] {
            let both = Both::<C>::new(secret);
            for nonce in [one, -one, Scalar::<C>::from(16), Scalar::<C>::from(32)] {
                assert!(both.verify(&[7; 32], &both.sign(&[7; 32], nonce)), "{secret:?} {nonce:?}");
            }
        }
        // What no signature holds.
        let number = |number: Scalar<C>| number.to_repr();
        let mut order = number(-one);
        *order.last_mut().expect("bytes") += 1;
        for (r, s) in [
            (number(Scalar::<C>::ZERO), number(one)),
            (number(one), number(Scalar::<C>::ZERO)),
            (order, number(one)),
            (number(one), order),
            (FieldBytes::<C>::from_iter(order.iter().map(|_| 0xff)), number(one)),
        ] {
            assert!(Signature::<C>::from_scalars(r, s).is_err(), "{r:?} {s:?}");
        }
    }

    #[test]
    fn edges_are_judged_as_by_the_library() {
        edges_are_judged_alike::<p256::NistP256>();
        edges_are_judged_alike::<p384::NistP384>();
    }

    /// One of many: the digest, the nonce, what is added to r and s and to the digest's last byte.
    type Attempt = (Vec<u8>, [u8; 48], u8, u8, u8);

    fn are_judged_alike<C: Curve>(secret: &[u8], attempts: &[Attempt]) {
        let both = Both::<C>::new(to_scalar::<C>(secret));
        for (digest, nonce, more_r, more_s, flip) in attempts {
            let signature = both.sign(digest, to_scalar::<C>(nonce));
            let r = *signature.r() + Scalar::<C>::from(u64::from(*more_r));
            let s = *signature.s() + Scalar::<C>::from(u64::from(*more_s));
            let mut signed = digest.clone();
            *signed.last_mut().expect("bytes") ^= flip;
            let signature = Signature::<C>::from_scalars(r, s).expect("neither is zero");
            // What is beyond the bits of n does not count.
            let bytes = C::ORDER.bit_width() as usize / 8;
            let same = (*more_r, *more_s) == (0, 0) && (*flip == 0 || digest.len() > bytes);
            assert_eq!(both.verify(&signed, &signature), same);
            // And of two numbers that are nobody's.
            let (r, s) = (to_scalar::<C>(nonce), to_scalar::<C>(&nonce[1..]));
            both.verify(digest, &Signature::from_scalars(r, s).expect("neither is zero"));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn signatures_are_judged_as_by_the_library(
            secret in any::<[u8; 48]>(),
            attempts in vec((vec(any::<u8>(), 1..=64), any::<[u8; 48]>(), 0_u8..2, 0_u8..2, 0_u8..2), 1..=16),
        ) {
            are_judged_alike::<p256::NistP256>(&secret, &attempts);
            are_judged_alike::<p384::NistP384>(&secret, &attempts);
        }
    }

    #[test]
    fn a_table_is_made_once_a_key_is_asked_often() {
        let both = Both::<p256::NistP256>::new(p256::Scalar::from(99_u64));
        let (key, nonce) = (both.key, p256::Scalar::from(5_u64));
        let (good, bad) = (both.sign(&[1; 32], nonce), both.sign(&[2; 32], nonce));
        let known = KnownKey::new(key);
        for use_ in 0..USES {
            assert!(known.table.get().is_none(), "{use_}");
            assert_eq!(known.verify(&[1; 32], if use_ % 2 == 0 { &good } else { &bad }), use_ % 2 == 0);
        }
        for _ in 0..3 {
            assert!(known.verify(&[1; 32], &good));
            assert!(!known.verify(&[1; 32], &bad));
            assert!(known.table.get().is_some());
        }
        // No table is to be had.
        let without = KnownKey { key, uses: AtomicUsize::new(USES), table: OnceLock::from(None) };
        assert!(without.verify(&[1; 32], &good));
        assert!(!without.verify(&[1; 32], &bad));
    }

    #[test]
    fn there_are_only_so_many_tables() {
        static FEW: AtomicUsize = AtomicUsize::new(0);
        let key = Both::<p256::NistP256>::new(p256::Scalar::ONE).key;
        let mut tables: Vec<_> = (0..MAX_TABLES).map(|_| Table::new(&key, &FEW).expect("room")).collect();
        assert!(Table::new(&key, &FEW).is_none());
        tables.pop();
        assert_eq!(FEW.load(Relaxed), MAX_TABLES - 1);
        assert!(Table::new(&key, &FEW).is_some());
        drop(tables);
        assert_eq!(FEW.load(Relaxed), 0);
    }
}
