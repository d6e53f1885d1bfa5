"""Keys for tests: made from names, so that whatever is signed with them has the same bytes every time.

They are public knowledge by design and protect nothing. Signatures are deterministic as well: RFC 6979 for ECDSA, and a
salt that follows from key and message for RSA-PSS, which the library at hand only does at random.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Iterator

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from securesystemslib.signer import CryptoSigner, Signature, Signer, SSlibKey

SCHEMES = ("ed25519", "ecdsa", "rsa")
# The order of P-256.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _stream(name: str) -> Iterator[bytes]:
    """Endless blocks of 32 bytes that follow from a name."""
    counter = 0
    while True:
        yield hashlib.sha256(f"modanchor test key {name} {counter}".encode()).digest()
        counter += 1


def _is_prime(n: int, stream: Iterator[bytes]) -> bool:
    """Miller and Rabin's test, enough for keys that protect nothing."""
    if any(n % p == 0 for p in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(20):
        x = pow(int.from_bytes(next(stream), "big") + 2, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def _prime(bits: int, stream: Iterator[bytes]) -> int:
    """A prime with its two highest bits set, so that the product of two has twice the bits."""
    while True:
        n = int.from_bytes(b"".join(next(stream) for _ in range(bits // 256)), "big")
        n |= 3 << (bits - 2) | 1
        if n % 65537 != 1 and _is_prime(n, stream):
            return n


class DeterministicSigner(Signer):
    """Signs the same message with the same bytes."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        self._private = private
        self._public = SSlibKey.from_crypto(private.public_key())

    @property
    def public_key(self) -> SSlibKey:
        return self._public

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri, public_key, secrets_handler=None):  # noqa: ANN001, ANN206
        raise NotImplementedError("test keys come from names")

    def sign(self, payload: bytes) -> Signature:
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            raw = self._private.sign(payload, ec.ECDSA(SHA256(), deterministic_signing=True))
        else:
            raw = _pss(self._private, payload)
        return Signature(self._public.keyid, raw.hex())


def _pss(private: rsa.RSAPrivateKey, payload: bytes) -> bytes:
    """RSASSA-PSS with SHA-256 (RFC 8017, 8.1.1 and 9.1.1), with a salt of 32 bytes that is not random."""
    numbers = private.private_numbers()
    n, d = numbers.public_numbers.n, numbers.d
    size = (n.bit_length() + 7) // 8
    digest = hashlib.sha256(payload).digest()
    salt = hashlib.sha256(d.to_bytes(size, "big") + digest).digest()
    h = hashlib.sha256(bytes(8) + digest + salt).digest()
    block = bytes(size - len(h) - len(salt) - 2) + b"\x01" + salt
    mask = b"".join(hashlib.sha256(h + i.to_bytes(4, "big")).digest() for i in range(size // 32 + 1))
    masked = bytearray(a ^ b for a, b in zip(block, mask))
    # The encoded message has one bit less than n, which has all of its bytes' bits.
    masked[0] &= 0x7F
    return pow(int.from_bytes(bytes(masked) + h + b"\xbc", "big"), d, n).to_bytes(size, "big")


@cache
def signer(name: str, scheme: str = "ed25519") -> Signer:
    """The key of this name: `ed25519`, `ecdsa` (P-256) or `rsa` (PSS, 2048 bits)."""
    stream = _stream(f"{scheme} {name}")
    if scheme == "ed25519":
        return CryptoSigner(Ed25519PrivateKey.from_private_bytes(next(stream)))
    if scheme == "ecdsa":
        scalar = int.from_bytes(next(stream), "big") % (_ORDER - 1) + 1
        return DeterministicSigner(ec.derive_private_key(scalar, ec.SECP256R1()))
    if scheme == "rsa":
        p, q, e = _prime(1024, stream), _prime(1024, stream), 65537
        d = pow(e, -1, (p - 1) * (q - 1))
        public = rsa.RSAPublicNumbers(e, p * q)
        private = rsa.RSAPrivateNumbers(
            p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
        )
        return DeterministicSigner(private.private_key())
    raise ValueError(f"no scheme {scheme}: {', '.join(SCHEMES)}")
