"""A TUF repository with Go modules as its targets, written by python-tuf: `write.py KIND DIR [options]`.

Metadata lies under DIR/tuf, targets at the paths of the GOPROXY protocol, as in docs/spec/tuf-go-modules.md. Everything
follows from the arguments, signatures too (keys.py): the same call writes the same bytes. The root to trust first is
DIR/tuf/1.root.json.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import sys
import zipfile
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from securesystemslib.signer import Signer
from tuf.api.metadata import (
    TOP_LEVEL_ROLE_NAMES,
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)

from keys import signer

FAR = datetime(2100, 1, 1, tzinfo=timezone.utc)
PAST = datetime(2020, 1, 1, tzinfo=timezone.utc)


def h1(files: dict[str, bytes]) -> str:
    """Go's dirhash.Hash1 of files by their names."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def escape(path: str) -> str:
    """A module path or version as the GOPROXY protocol has it: capitals as `!` and the small letter."""
    return "".join(f"!{c.lower()}" if c.isupper() else c for c in path)


def module_files(module: str, version: str) -> dict[str, tuple[bytes, dict[str, str] | None]]:
    """The targets of a small made-up module version: path to content and `custom`."""
    go_mod = f"module {module}\n\ngo 1.22\n".encode()
    source = f"// Package lib is {module} {version}.\npackage lib\n".encode()
    inside = {f"{module}@{version}/go.mod": go_mod, f"{module}@{version}/lib.go": source}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in inside.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # The same on every platform.
            archive.writestr(entry, content)
    base = f"{escape(module)}/@v/{escape(version)}"
    info = f'{{"Version":"{version}","Time":"2026-01-01T00:00:00Z"}}'.encode()
    return {
        f"{base}.info": (info, None),
        f"{base}.mod": (go_mod, {"h1": h1({"go.mod": go_mod})}),
        f"{base}.zip": (buffer.getvalue(), {"h1": h1(inside)}),
    }


@dataclass
class Delegated:
    """Who signs a role below root or targets."""

    signers: list[Signer]
    targets: Targets


class Repository:
    """What is to be published."""

    def __init__(self, *, consistent: bool = True, hashes: bool = False, version: int = 1, expired: str | None = None):
        self.hashes, self.version, self.expired = hashes, version, expired
        self.root = Root(version=1, expires=self._expires("root"), consistent_snapshot=consistent)
        self.signers: dict[str, list[Signer]] = {}
        self.algorithms = ["sha256"]
        # Every root of the chain, signed.
        self.roots: list[Metadata[Root]] = []
        self.roles: dict[str, Delegated] = {}
        self.files: dict[str, bytes] = {}
        # How many more modules' files are written; what is in metadata does not depend on it.
        self.files_of = 1 << 62
        for role in sorted(TOP_LEVEL_ROLE_NAMES):
            self.top_level(role, [signer(role)])
        self._role("targets", self.signers["targets"])

    def _expires(self, role: str) -> datetime:
        return PAST if role == self.expired else FAR

    def _role(self, name: str, signers: list[Signer]) -> None:
        targets = Targets(version=self.version, expires=self._expires(name))
        self.roles[name] = Delegated(signers, targets)

    def top_level(self, role: str, signers: list[Signer], threshold: int = 1) -> None:
        """Says who signs one of the four."""
        self.signers[role] = signers
        self.root.roles[role] = Role([s.public_key.keyid for s in signers], threshold)
        used = {keyid for r in self.root.roles.values() for keyid in r.keyids}
        keys = self.root.keys | {s.public_key.keyid: s.public_key for s in signers}
        self.root.keys = {keyid: key for keyid, key in keys.items() if keyid in used}
        if role in self.roles:
            self.roles[role].signers = signers

    def end_root(self, also: list[Signer] = ()) -> None:
        """Signs this root, by those of the root before it (`also`) too, and begins the next version."""
        signed = Metadata(Root.from_dict(self.root.to_dict()))
        for s in [*self.signers["root"], *also]:
            signed.sign(s, append=True)
        self.roots.append(signed)
        self.root.version += 1

    def delegate(self, parent: str, name: str, signers: list[Signer], threshold: int = 1, **how: object) -> None:
        """Delegates by `paths` or `path_hash_prefixes`, after what was delegated before."""
        delegations = self.roles[parent].targets.delegations or Delegations({}, {})
        keyids = [s.public_key.keyid for s in signers]
        delegations.keys |= {s.public_key.keyid: s.public_key for s in signers}
        how.setdefault("terminating", False)
        delegations.roles[name] = DelegatedRole(name, keyids, threshold, **how)
        self.roles[parent].targets.delegations = delegations
        self._role(name, signers)

    def split(self, parent: str, bits: int, prefix: str, signers: list[Signer], threshold: int = 1) -> None:
        """Splits a role into 2^bits bins, by TAP 15."""
        keyids = [s.public_key.keyid for s in signers]
        succinct = SuccinctRoles(keyids, threshold, bits, prefix)
        keys = {s.public_key.keyid: s.public_key for s in signers}
        self.roles[parent].targets.delegations = Delegations(keys, None, succinct)
        for name in succinct.get_roles():
            self._role(name, signers)

    def module(self, role: str, module: str, version: str = "v1.0.0") -> None:
        """Adds a module version to a role, or to its bins."""
        self.files_of -= 1
        for path, (content, custom) in module_files(module, version).items():
            self.target(role, path, content, custom)

    def target(self, role: str, path: str, content: bytes, custom: dict[str, str] | None = None) -> None:
        """Adds a target to a role, or to its bins."""
        delegations = self.roles[role].targets.delegations
        if delegations and delegations.succinct_roles:
            role = delegations.succinct_roles.get_role_for_target(path)
        info = TargetFile.from_data(path, content, self.algorithms)
        if custom:
            info.unrecognized_fields["custom"] = custom
        self.roles[role].targets.targets[path] = info
        if self.files_of >= 0:
            self.files[path] = content

    def _signed(self, signed: Snapshot | Targets | Timestamp, signers: list[Signer]) -> bytes:
        metadata = Metadata(signed)
        for s in signers:
            metadata.sign(s, append=True)
        return metadata.to_bytes()

    def _meta(self, content: bytes) -> MetaFile:
        return MetaFile.from_data(self.version, content, ["sha256"]) if self.hashes else MetaFile(self.version)

    def publish(self, to: Path) -> None:
        """Writes all of it below a folder, over what is there."""
        if not self.roots:
            self.end_root()
        consistent = self.roots[-1].signed.consistent_snapshot
        metadata = {f"{m.signed.version}.root": m.to_bytes() for m in self.roots}
        numbered = f"{self.version}." if consistent else ""
        snapshot = Snapshot(version=self.version, expires=self._expires("snapshot"), meta={})
        for name, role in self.roles.items():
            content = self._signed(role.targets, role.signers)
            metadata[f"{numbered}{name}"] = content
            snapshot.meta[f"{name}.json"] = self._meta(content)
        content = self._signed(snapshot, self.signers["snapshot"])
        metadata[f"{numbered}snapshot"] = content
        timestamp = Timestamp(self.version, None, self._expires("timestamp"), self._meta(content))
        # Whoever reads while this is written sees the old repository until the last file.
        metadata["timestamp"] = self._signed(timestamp, self.signers["timestamp"])
        for path, content in self.files.items():
            _write(to / path, content)
            folder, _, name = path.rpartition("/")
            if consistent:
                for algorithm in self.algorithms:
                    digest = hashlib.new(algorithm, content).hexdigest()
                    _write(to / folder / f"{digest}.{name}", content)
        for name, content in metadata.items():
            _write(to / "tuf" / f"{name}.json", content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def plain(repository: Repository, options: argparse.Namespace) -> None:
    """No delegations: everything in the top-level targets, a module with capitals among it."""
    repository.algorithms = ["sha512", "sha256"]
    repository.module("targets", "example.com/plain")
    repository.module("targets", "example.com/Mixed/Case", "v1.0.0-RC1")


def keys(repository: Repository, options: argparse.Namespace) -> None:
    """Every kind of key and thresholds above one."""
    three = [signer(f"root {scheme}", scheme) for scheme in ("ed25519", "ecdsa", "rsa")]
    repository.top_level("root", three, 2)
    repository.top_level("timestamp", [signer("timestamp", "ecdsa")])
    repository.top_level("snapshot", [signer("snapshot", "rsa")])
    both = [signer("targets", "ecdsa"), signer("targets", "ed25519")]
    repository.top_level("targets", both, 2)
    repository.delegate("targets", "team", three, 3, paths=["example.com/keys/@v/*"])
    repository.module("team", "example.com/keys")


def paths(repository: Repository, options: argparse.Namespace) -> None:
    """Delegations by patterns: nested, in an order that matters, one that ends the search."""
    depths = [f"example.com/acme{'/*' * depth}/@v/*" for depth in range(4)]
    repository.delegate("targets", "acme", [signer("acme")], paths=depths, terminating=True)
    repository.delegate("acme", "acme-web", [signer("acme-web")], paths=["example.com/acme/web/@v/*"])
    repository.delegate("acme", "acme-all", [signer("acme-all")], paths=depths)
    # Never asked: what it may name, the terminating role decides before it.
    repository.delegate("targets", "late", [signer("late")], paths=["example.com/acme/*/@v/*", "example.com/late/@v/*"])
    repository.module("acme", "example.com/acme")
    repository.module("acme-web", "example.com/acme/web")
    repository.module("acme-all", "example.com/acme/deep/er/still")
    # The first that has it wins, so this one is never seen; that it differs shows who was asked.
    repository.target("acme-all", "example.com/acme/web/@v/v1.0.0.info", b'{"Version":"v1.0.0"}')
    repository.files.update({p: c for p, (c, _) in module_files("example.com/acme/web", "v1.0.0").items()})
    repository.module("late", "example.com/acme/unreachable")
    repository.module("late", "example.com/late")
    # Outside of what the role may name: not found, signed as it is.
    repository.module("late", "example.com/stray")


def prefixes(repository: Repository, options: argparse.Namespace) -> None:
    """Hashed bins as the specification has them, by path_hash_prefixes."""
    digits = max(1, (options.bits + 3) // 4)
    count = 1 << options.bits
    size = 16**digits // count
    key = [signer("bins")]
    for number in range(count):
        every = [f"{n:0{digits}x}" for n in range(number * size, (number + 1) * size)]
        repository.delegate("targets", f"bin-{every[0]}", key, path_hash_prefixes=every)
    bins = repository.roles["targets"].targets.delegations
    for number in range(options.modules):
        for path, (content, custom) in module_files(f"example.com/prefixed/m{number}", "v1.0.0").items():
            name, _ = next(iter(bins.get_roles_for_target(path)))
            repository.target(name, path, content, custom)


def succinct(repository: Repository, options: argparse.Namespace) -> None:
    """Hashed bins by TAP 15, right below the top-level targets."""
    repository.split("targets", options.bits, "bin", [signer("bins")])
    repository.files_of = options.files_of
    for number in range(options.modules):
        repository.module("targets", f"example.com/binned/m{number}")


def teams(repository: Repository, options: argparse.Namespace) -> None:
    """Delegations by patterns, of which one is split into bins by TAP 15 and one is not."""
    repository.delegate("targets", "large", [signer("large")], paths=["example.com/large/*/@v/*"], terminating=True)
    repository.delegate("targets", "small", [signer("small")], paths=["example.com/small/*/@v/*"], terminating=True)
    repository.split("large", options.bits, "large-bin", [signer("large bins", "ecdsa"), signer("large bins")], 2)
    for number in range(options.modules):
        repository.module("large", f"example.com/large/m{number}")
    repository.module("small", "example.com/small/tool")


def rotated(repository: Repository, options: argparse.Namespace) -> None:
    """A chain of roots: all keys change at each, and the intermediate ones have expired."""
    for number in range(1, options.roots + 1):
        before = repository.signers["root"]
        if number > 1:
            for role in sorted(TOP_LEVEL_ROLE_NAMES):
                repository.top_level(role, [signer(f"{role} {number}")])
        last = number == options.roots
        repository.root.expires = repository._expires("root") if last else PAST
        repository.end_root(before if number > 1 else ())
    repository.module("targets", "example.com/rotated")


KINDS = {kind.__name__: kind for kind in (plain, keys, paths, prefixes, succinct, teams, rotated)}


def write(to: Path, arguments: list[str]) -> None:
    """Writes what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS, help="; ".join(f"{k}: {f.__doc__}" for k, f in KINDS.items()))
    parser.add_argument("--version", type=int, default=1, help="of timestamp, snapshot and all targets roles")
    parser.add_argument("--roots", type=int, default=5, help="of rotated: how many")
    parser.add_argument("--bits", type=int, default=4, help="of prefixes, succinct, teams: 2^bits bins")
    parser.add_argument("--modules", type=int, default=2, help="of prefixes, succinct, teams: how many are in bins")
    parser.add_argument("--files-of", type=int, default=1 << 62, help="of succinct: write files of so many modules only")
    parser.add_argument("--expired", metavar="ROLE", help="which role's metadata has expired")
    parser.add_argument("--hashes", action="store_true", help="with lengths and hashes of metadata in metadata")
    parser.add_argument("--not-consistent", action="store_true", help="without consistent snapshots")
    options = parser.parse_args(arguments)
    repository = Repository(
        consistent=not options.not_consistent,
        hashes=options.hashes,
        version=options.version,
        expired=options.expired,
    )
    KINDS[options.kind](repository, options)
    repository.publish(to)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"{__doc__}\nKIND: {', '.join(KINDS)}; `write.py KIND DIR --help` lists the options")
    write(Path(sys.argv[2]), [sys.argv[1], *sys.argv[3:]])
