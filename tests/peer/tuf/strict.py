"""guest/tests/data/tuf/strict.json: odd and malformed TUF metadata, one oddity at a time, and what python-tuf says.

    strict.py FILE

Each case is a small good repository (`base`) with an oddity in one file: `metadata` is that of its role, `others` are
those that had to change with it. Signatures are valid over the odd content wherever there is content to be signed. python-tuf's client refreshes from it, looks for two targets, one in the
top-level targets and one in the delegated role `team`, and downloads them: `python_tuf` is "accept", or "reject: ", at
which step, and why; `found` is which targets it found.
"""

from __future__ import annotations

import copy
import hashlib
import json
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Signer
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from keys import signer

EXPIRES = "2100-01-01T00:00:00Z"
BASE = "https://repository.invalid/"
TARGET = "example.com/strict/@v/v1.0.0.mod"
TEAM_TARGET = "example.com/team/@v/v1.0.0.mod"
CONTENT = b"module example.com/strict\n"
ORDER = ("root", "timestamp", "snapshot", "targets", "team")

Edit = Callable[[dict[str, Any], "Repository"], None]


def key(signer: Signer) -> dict[str, Any]:
    return copy.deepcopy(signer.public_key.to_dict())


def role(*signers: Signer, threshold: int = 1) -> dict[str, Any]:
    return {"keyids": [s.public_key.keyid for s in signers], "threshold": threshold}


def keys_of(*signers: Signer) -> dict[str, Any]:
    return {s.public_key.keyid: key(s) for s in signers}


class Repository:
    """A good repository, until a case edits it."""

    def __init__(self) -> None:
        common = {"spec_version": "1.0.31", "version": 1, "expires": EXPIRES}
        # By role: who signs, as (keyid, signer).
        self.signers = {name: [(signer(name).public_key.keyid, signer(name))] for name in ORDER}
        top = ("root", "timestamp", "snapshot", "targets")
        delegated = role(signer("team")) | {"name": "team", "terminating": False, "paths": ["example.com/team/@v/*"]}
        self.signed: dict[str, dict[str, Any]] = {
            "root": common
            | {
                "_type": "root",
                "consistent_snapshot": True,
                "keys": keys_of(*map(signer, top)),
                "roles": {name: role(signer(name)) for name in top},
            },
            "timestamp": common | {"_type": "timestamp", "meta": {"snapshot.json": {"version": 1}}},
            "snapshot": common
            | {"_type": "snapshot", "meta": {"targets.json": {"version": 1}, "team.json": {"version": 1}}},
            "targets": common
            | {
                "_type": "targets",
                "targets": {TARGET: target()},
                "delegations": {"keys": keys_of(signer("team")), "roles": [delegated]},
            },
            "team": common | {"_type": "targets", "targets": {TEAM_TARGET: target()}},
        }

    def files(self) -> dict[str, dict[str, Any]]:
        """Signed."""
        files = {}
        for name, signed in self.signed.items():
            payload = canonical(signed).encode("utf-8", "surrogatepass")
            signatures = [{"keyid": keyid, "sig": s.sign(payload).signature} for keyid, s in self.signers[name]]
            files[name] = {"signatures": signatures, "signed": signed}
        return files


def target() -> dict[str, Any]:
    return {"length": len(CONTENT), "hashes": {"sha256": hashlib.sha256(CONTENT).hexdigest()}}


def canonical(value: Any) -> str:
    """What is signed: OLPC's canonical JSON, with numbers that it has no form for as Python writes them."""

    def text(value: Any) -> str:
        if isinstance(value, float):
            return json.dumps(value)
        if isinstance(value, list):
            return "[" + ",".join(map(text, value)) + "]"
        if isinstance(value, dict):
            return "{" + ",".join(f"{encode_canonical(k)}:{text(v)}" for k, v in sorted(value.items())) + "}"
        return encode_canonical(value)

    return text(value)


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


CASES: list[dict[str, Any]] = []
# Every name once, so that a case can be pointed at.
NAMES: set[str] = set()


def case(
    name: str,
    role: str,
    why: str,
    edit: Edit | None = None,
    *,
    envelope: Callable[[dict[str, Any]], Any] | None = None,
    text: Callable[[str], str] | None = None,
) -> None:
    """Adds a case: edits the repository before it is signed, the signed file of the role, and its text."""
    assert name not in NAMES, name
    NAMES.add(name)
    repository = Repository()
    if edit:
        edit(repository.signed[role], repository)
    files: dict[str, Any] = repository.files()
    if envelope:
        # It edits in place, or gives something else.
        files[role] = envelope(files[role]) or files[role]
    texts = {n: compact(f) for n, f in files.items()}
    if text:
        before = texts[role]
        texts[role] = text(before)
        assert texts[role] != before, f"{name}: the text is as it was"
    verdict, found = judge(texts)
    CASES.append(
        {
            "name": name,
            "role": role,
            "why": why,
            "metadata": texts[role],
            "others": {n: t for n, t in texts.items() if n != role and t != GOOD[n]},
            "python_tuf": verdict,
            "found": found,
        }
    )


class Files(FetcherInterface):
    """Serves a repository from memory. What no role is named is the delegated role, under whatever name it has."""

    def __init__(self, texts: dict[str, str]):
        self.texts = texts

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = unquote(url.removeprefix(BASE))
        if not path.startswith("tuf/"):
            yield CONTENT
            return
        name = path.removeprefix("tuf/").removesuffix(".json")
        name = name if name == "timestamp" else name.split(".", 1)[-1]
        if name == "root":
            raise DownloadHTTPError("no newer root", 404)
        yield self.texts.get(name, self.texts["team"]).encode("utf-8", "surrogatepass")


def judge(texts: dict[str, str]) -> tuple[str, list[str]]:
    """What python-tuf's client says of a repository."""
    found: list[str] = []
    step = "trusted root"
    with tempfile.TemporaryDirectory() as folder:
        try:
            updater = Updater(
                folder, f"{BASE}tuf", folder, BASE, Files(texts), bootstrap=texts["root"].encode("utf-8", "surrogatepass")
            )
            step = "refresh"
            updater.refresh()
            for path in (TARGET, TEAM_TARGET):
                step = f"look-up of {path}"
                info = updater.get_targetinfo(path)
                step = f"download of {path}"
                if info is not None:
                    updater.download_target(info)
                    found.append(path)
        except Exception as e:  # noqa: BLE001 every failure of the client is an answer
            while e.__cause__ is not None:
                e = e.__cause__
            said = e.strerror if isinstance(e, OSError) else str(e).partition("\n")[0]
            return f"reject: {step}: {type(e).__name__}: {said[:200]}", found
    return "accept", found


GOOD = {n: compact(f) for n, f in Repository().files().items()}
assert judge(GOOD) == ("accept", [TARGET, TEAM_TARGET])


# --- Helpers of the cases.


def put(*path: str | int, value: Any) -> Edit:
    """Sets a field of the role's signed part, copied for this case."""

    def edit(signed: dict[str, Any], _: Repository) -> None:
        for step in path[:-1]:
            signed = signed[step]
        signed[path[-1]] = copy.deepcopy(value)

    return edit


def drop(*path: str | int) -> Edit:
    def edit(signed: dict[str, Any], _: Repository) -> None:
        for step in path[:-1]:
            signed = signed[step]
        del signed[path[-1]]

    return edit


def both(*edits: Edit) -> Edit:
    def edit(signed: dict[str, Any], repository: Repository) -> None:
        for one in edits:
            one(signed, repository)

    return edit


def with_version(value: Any) -> Edit:
    """The targets' version, and the same in the snapshot: what is odd is the version, not that two differ."""

    def edit(signed: dict[str, Any], repository: Repository) -> None:
        signed["version"] = value
        repository.signed["snapshot"]["meta"]["targets.json"]["version"] = value

    return edit


def delegated(**fields: Any) -> Edit:
    """Fields of the delegated role; one that is None is taken away. Whatever its name, it is in the snapshot."""

    def edit(signed: dict[str, Any], repository: Repository) -> None:
        (entry,) = signed["delegations"]["roles"]
        for name, value in fields.items():
            if value is None:
                del entry[name]
            else:
                entry[name] = value
        if isinstance(entry.get("name"), str):
            repository.signed["snapshot"]["meta"].setdefault(f"{entry['name']}.json", {"version": 1})

    return edit


def succinct(with_roles: bool = False, **fields: Any) -> Edit:
    """Bins by TAP 15 in place of the delegated role: `team` signs them, and every one has the same content."""

    def edit(signed: dict[str, Any], repository: Repository) -> None:
        bins = role(signer("team")) | {"bit_length": 4, "name_prefix": "bin"} | fields
        bins = {name: value for name, value in bins.items() if value is not None}
        signed["delegations"]["succinct_roles"] = bins
        if not with_roles:
            del signed["delegations"]["roles"]
        # Every bin that an implementation could name for the target.
        bits = fields.get("bit_length", 4)
        number = int.from_bytes(hashlib.sha256(TEAM_TARGET.encode()).digest()[:4], "big")
        prefix = fields.get("name_prefix", "bin")
        if isinstance(bits, int) and 1 <= bits <= 32:
            digits = (bits + 3) // 4
            name = f"{prefix}-{number >> (32 - bits):0{digits}x}"
            repository.signed["snapshot"]["meta"][f"{name}.json"] = {"version": 1}

    return edit


def second_keyid(owner: str, delegated_by: str) -> Edit:
    """One key under two keyids, a threshold of two, and its signature under both."""

    def edit(_: dict[str, Any], repository: Repository) -> None:
        other = "11" * 32
        if delegated_by == "root":
            keys, entry = repository.signed["root"]["keys"], repository.signed["root"]["roles"][owner]
        else:
            delegations = repository.signed["targets"]["delegations"]
            keys, entry = delegations["keys"], delegations["roles"][0]
        keys[other] = key(signer(owner))
        entry["keyids"].append(other)
        entry["threshold"] = 2
        repository.signers[owner].append((other, signer(owner)))

    return edit


def renamed_key(owner: str, keyid: str) -> Edit:
    """The key of a role of root, under another keyid."""

    def edit(_: dict[str, Any], repository: Repository) -> None:
        root = repository.signed["root"]
        old = signer(owner).public_key.keyid
        root["keys"][keyid] = root["keys"].pop(old)
        root["roles"][owner]["keyids"] = [keyid]
        repository.signers[owner] = [(keyid, signer(owner))]

    return edit


def two_signers(threshold: int) -> Edit:
    """A second key for the timestamp, which signs too."""

    def edit(_: dict[str, Any], repository: Repository) -> None:
        other = signer("timestamp 2")
        repository.signed["root"]["keys"] |= keys_of(other)
        repository.signed["root"]["roles"]["timestamp"] = role(signer("timestamp"), other, threshold=threshold)
        repository.signers["timestamp"].append((other.public_key.keyid, other))

    return edit


def signatures(edit: Callable[[list[Any]], Any]) -> Callable[[dict[str, Any]], None]:
    """Edits the list of signatures, in place or by giving another."""

    def envelope(file: dict[str, Any]) -> None:
        file["signatures"] = edit(file["signatures"]) or file["signatures"]

    return envelope


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def meta(name: str, **fields: Any) -> Edit:
    """Fields of an entry of the snapshot's or timestamp's meta."""

    def edit(signed: dict[str, Any], _: Repository) -> None:
        signed["meta"][name] |= fields

    return edit


def digest_of(name: str, algorithm: str = "sha256", change: Callable[[str], str] = str) -> Edit:
    """The right hash of another file in the meta of this one, as it is written or changed."""

    def edit(signed: dict[str, Any], repository: Repository) -> None:
        content = compact(repository.files()[name]).encode()
        digest = change(hashlib.new(algorithm, content).hexdigest())
        signed["meta"][f"{name}.json"] |= {"length": len(content), "hashes": {algorithm: digest}}

    return edit


def in_target(**fields: Any) -> Edit:
    def edit(signed: dict[str, Any], _: Repository) -> None:
        for name, value in fields.items():
            if value is None:
                del signed["targets"][TARGET][name]
            else:
                signed["targets"][TARGET][name] = value

    return edit


def more_targets(*paths: str) -> Edit:
    def edit(signed: dict[str, Any], _: Repository) -> None:
        signed["targets"] |= {path: target() for path in paths}

    return edit


TEAM_PATH_HASH = hashlib.sha256(TEAM_TARGET.encode()).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA512 = hashlib.sha512(CONTENT).hexdigest()


def cases() -> None:
    case("good", "targets", "nothing is odd", lambda signed, _: signed.update(note="so that it differs from the base"))

    # JSON itself.
    for where in ORDER[:4]:
        case(f"trailing-newline-{where}", where, "a line feed after the object, as editors leave", text=lambda t: t + "\n")
        case(f"trailing-bytes-{where}", where, "bytes after the object", text=lambda t: t + "{}")
        case(f"bom-{where}", where, "begins with a byte order mark", text=lambda t: "\ufeff" + t)
        case(f"empty-{where}", where, "an empty file", text=lambda _: "")
        case(f"array-{where}", where, "an array in place of the object", text=lambda t: f"[{t}]")
        case(f"html-{where}", where, "a page in HTML", text=lambda _: "<!DOCTYPE html><title>200 OK</title>")
        case(f"cut-{where}", where, "ends in the middle", text=lambda t: t[: len(t) // 2])
    case("leading-space", "targets", "blanks before the object", text=lambda t: " \t\r\n" + t)
    case("pretty", "targets", "indented, which is not the signed form", text=lambda t: json.dumps(json.loads(t), indent=2))
    case("escaped", "targets", "a name written with an escape; the signed form has none",
         text=lambda t: t.replace('"targets":', '"\\u0074argets":'))
    case("nul-after", "targets", "a NUL after the object", text=lambda t: t + "\0")
    case("comment", "targets", "a comment", text=lambda t: "/* */" + t)
    case("trailing-comma", "targets", "a comma before the closing brace", text=lambda t: t[:-1] + ",}")
    case("single-quotes", "targets", "single quotes", text=lambda t: t.replace('"', "'"))
    case("duplicate-key-signed", "targets", "`version` twice in `signed`, the last one is signed",
         text=lambda t: t.replace('"version":1', '"version":7,"version":1'))
    case("duplicate-key-signed-first", "targets", "`version` twice in `signed`, the first one is signed",
         text=lambda t: t.replace('"version":1', '"version":1,"version":7'))
    case("duplicate-key-equal", "targets", "`version` twice with the same value",
         text=lambda t: t.replace('"version":1', '"version":1,"version":1'))
    case("duplicate-key-escaped", "targets", "`version` twice, once with an escape in its name",
         text=lambda t: t.replace('"version":1', '"\\u0076ersion":7,"version":1'))
    case("duplicate-target", "targets", "one target twice, the last one is signed",
         text=lambda t: t.replace(f'"{TARGET}":', f'"{TARGET}":{{"hashes":{{"sha256":"{"0" * 64}"}},"length":1}},"{TARGET}":'))
    case("duplicate-signed", "targets", "`signed` twice, the last one is signed",
         text=lambda t: t.replace('"signed":', '"signed":{},"signed":'))
    case("duplicate-signatures", "targets", "`signatures` twice, the last one is valid",
         text=lambda t: t.replace('"signatures":', '"signatures":[],"signatures":'))
    case("duplicate-key-root", "root", "`threshold` twice, the last one is signed",
         text=lambda t: t.replace('"threshold":1', '"threshold":2,"threshold":1', 1))
    case("duplicate-key-custom", "targets", "a name twice in `custom`, the last one is signed", in_target(custom={"h1": "a"}),
         text=lambda t: t.replace('"h1":"a"', '"h1":"b","h1":"a"'))
    for depth in (30, 200, 10000):
        case(f"deep-{depth}", "targets", f"{depth} arrays in one another, in an unknown field",
             text=None if depth < 1000 else (lambda t: t.replace('"note":1', f'"note":{"[" * 10000}1{"]" * 10000}')),
             edit=put("note", value=nested(depth) if depth < 1000 else 1))
    case("deep-unsigned", "targets", "200 arrays in one another, beside `signed`",
         envelope=lambda file: file.update(note=nested(200)))
    case("unknown-fields", "targets", "unknown fields at every level",
         both(put("x", value={"a": None, "b": [True, False]}), put("targets", TARGET, "x", value=1),
              put("delegations", "x", value="y"), delegated(x=[])))
    case("unknown-field-beside-signed", "targets", "an unknown field beside `signed`, which nobody signs",
         envelope=lambda file: file.update(note="x"))
    case("float-unknown", "targets", "a fraction in an unknown field", put("note", value=1.5))
    case("float-custom", "targets", "a fraction in `custom`", in_target(custom={"x": 0.5}))
    case("float-unsigned", "targets", "a fraction beside `signed`, which nobody signs",
         envelope=lambda file: file.update(note=1.5))
    case("float-version", "targets", "version 1.0", put("version", value=1.0))
    case("exponent-version", "targets", "version 1e0, signed as 1", text=lambda t: t.replace('"version":1', '"version":1e0'))
    case("minus-zero", "targets", "-0 in an unknown field, signed as 0", put("note", value=0),
         text=lambda t: t.replace('"note":0', '"note":-0'))
    case("leading-zero", "targets", "version 01, signed as 1", text=lambda t: t.replace('"version":1', '"version":01'))
    case("nan", "targets", "NaN, which is no JSON, in an unknown field", put("note", value=1),
         text=lambda t: t.replace('"note":1', '"note":NaN'))
    case("nan-unsigned", "targets", "NaN, which is no JSON, beside `signed`", envelope=lambda file: file.update(note=1),
         text=lambda t: t.replace('"note":1', '"note":NaN'))
    case("int-2-53-unknown", "targets", "2^53 + 1 in an unknown field", put("note", value=2**53 + 1))
    case("int-2-63-unknown", "targets", "2^63 in an unknown field", put("note", value=2**63))
    case("int-2-64-unknown", "targets", "2^64 in an unknown field", put("note", value=2**64))
    case("int-minus-2-63-1-unknown", "targets", "-2^63 - 1 in an unknown field", put("note", value=-(2**63) - 1))
    case("surrogate", "targets", "half of a surrogate pair, escaped, in an unknown field", put("note", value="x"),
         text=lambda t: t.replace('"note":"x"', '"note":"\\ud800"'))
    case("control-characters", "targets", "control characters in an unknown field, escaped; signed as they are",
         put("note", value="a\n\t\x01\x7f"), text=lambda t: json.dumps(json.loads(t), separators=(",", ":")) + "\n")
    case("raw-control-character", "targets", "a raw line feed in a string", put("note", value="a b"),
         text=lambda t: t.replace("a b", "a\nb"))
    case("slash-escaped", "targets", "slashes written as \\/, signed as they are", text=lambda t: t.replace("/", "\\/"))
    case("key-order-astral", "targets", "names beyond the BMP: sorted by code point and by UTF-16 they differ",
         put("note", value={"\uff5e": 1, "\U0001f600": 2}))

    # The envelope.
    case("signed-missing", "targets", "no `signed`", envelope=lambda file: {"signatures": file["signatures"]})
    case("signatures-missing", "targets", "no `signatures`", envelope=lambda file: {"signed": file["signed"]})
    case("signatures-object", "targets", "`signatures` as an object by keyid",
         envelope=signatures(lambda all: {s["keyid"]: s["sig"] for s in all}))
    for where in ORDER:
        case(f"signatures-empty-{where}", where, "no signature",
             envelope=lambda file: {"signatures": [], "signed": file["signed"]})
    case("signature-not-hex", "timestamp", "the only signature is not hexadecimal",
         envelope=signatures(lambda all: all[0].update(sig="not hexadecimal")))
    case("signature-odd-hex", "timestamp", "the only signature has an odd number of digits",
         envelope=signatures(lambda all: all[0].update(sig=all[0]["sig"] + "0")))
    case("signature-upper-case", "timestamp", "a signature in upper-case hexadecimal",
         envelope=signatures(lambda all: all[0].update(sig=all[0]["sig"].upper())))
    case("signature-spaces", "timestamp", "a signature with blanks between bytes",
         envelope=signatures(lambda all: all[0].update(sig=" ".join(all[0]["sig"][i:i + 2] for i in range(0, 128, 2)))))
    case("signature-0x", "timestamp", "a signature with 0x before it",
         envelope=signatures(lambda all: all[0].update(sig="0x" + all[0]["sig"])))
    case("signature-number", "timestamp", "a signature that is a number", envelope=signatures(lambda all: all[0].update(sig=1)))
    case("signature-missing-sig", "timestamp", "a signature without `sig`", envelope=signatures(lambda all: all[0].pop("sig") and None))
    case("signature-missing-keyid", "timestamp", "a signature without `keyid`",
         envelope=signatures(lambda all: all[0].pop("keyid") and None))
    case("signature-unknown-field", "timestamp", "an unknown field in a signature", envelope=signatures(lambda all: all[0].update(x=1)))
    case("extra-signature-not-hex", "timestamp", "beside a valid one, a signature that is not hexadecimal, by a key of the role",
         two_signers(1), envelope=signatures(lambda all: all[1].update(sig="not hexadecimal")))
    case("extra-signature-empty", "timestamp", "beside a valid one, an empty signature by a key of the role",
         two_signers(1), envelope=signatures(lambda all: all[1].update(sig="")))
    case("extra-signature-wrong", "timestamp", "beside a valid one, a wrong signature by a key of the role",
         two_signers(1), envelope=signatures(lambda all: all[1].update(sig="00" * 64)))
    case("extra-signature-unknown-key", "timestamp", "beside a valid one, a signature by an unknown key",
         envelope=signatures(lambda all: all.append({"keyid": "22" * 32, "sig": "00" * 64})))
    case("duplicate-signature", "timestamp", "the same signature twice", envelope=signatures(lambda all: all * 2))
    case("duplicate-signature-threshold", "timestamp", "one key's signature twice for a threshold of two",
         two_signers(2), envelope=signatures(lambda all: [all[0], all[0]]))
    case("duplicate-signature-keyid-case", "timestamp", "one key's signature twice for a threshold of two, once with its keyid in upper case",
         two_signers(2), envelope=signatures(lambda all: [all[0], all[0] | {"keyid": all[0]["keyid"].upper()}]))
    case("many-signatures", "timestamp", "a hundred signatures by unknown keys before the valid one",
         envelope=signatures(lambda all: [{"keyid": f"{n:064x}", "sig": "00"} for n in range(100)] + all))

    # What all roles have.
    case("type-missing", "targets", "no `_type`", drop("_type"))
    case("type-other", "targets", "`_type` of another role", put("_type", value="snapshot"))
    case("type-case", "targets", "`_type` with a capital", put("_type", value="Targets"))
    case("spec-version-missing", "targets", "no `spec_version`", drop("spec_version"))
    for text in ("2.0", "2.0.0", "1.99", "1.0.99", "1.0", "1", "0.9.0", "1.0.0.0", "1.0.31-rc1", " 1.0.31", "1.0.x", "", "01.0.0", "1.0.0\n"):
        case(f"spec-version-{json.dumps(text)}", "targets", f"`spec_version` {json.dumps(text)}", put("spec_version", value=text))
    case("spec-version-number", "targets", "`spec_version` as a number", put("spec_version", value=1))
    case("version-missing", "targets", "no `version`", drop("version"))
    for name, value in (("0", 0), ("negative", -1), ("string", "1"), ("true", True), ("null", None)):
        case(f"version-{name}", "targets", f"version {json.dumps(value)}", put("version", value=value))
    for name, value in (("2-31", 2**31), ("2-32", 2**32), ("2-53-1", 2**53 - 1), ("2-53+1", 2**53 + 1), ("2-63-1", 2**63 - 1),
                        ("2-63", 2**63), ("2-64-1", 2**64 - 1), ("2-64", 2**64), ("2-128", 2**128)):
        case(f"version-{name}", "targets", f"version {value}, in the snapshot too", with_version(value))
    for where in ("root", "timestamp"):
        for name, value in (("0", 0), ("negative", -1), ("2-64", 2**64), ("string", "1"), ("true", True)):
            case(f"{where}-version-{name}", where, f"version {json.dumps(value)}", put("version", value=value))
    case("expires-missing", "targets", "no `expires`", drop("expires"))
    for text, why in (
        ("2100-01-01T00:00:00+00:00", "an offset in place of Z"), ("2100-01-01T02:00:00+02:00", "another offset"),
        ("2100-01-01T00:00:00", "no zone"), ("2100-01-01T00:00:00.000Z", "a fraction of zero"),
        ("2100-01-01T00:00:00.5Z", "a fraction"), ("2100-01-01t00:00:00z", "lower case"), ("2100-01-01 00:00:00Z", "a blank for T"),
        ("2100-01-01", "a date"), ("2100-1-1T0:0:0Z", "no leading zeros"), ("2100-12-31T23:59:60Z", "a leap second"),
        ("2100-12-31T24:00:00Z", "hour 24"), ("2100-02-30T00:00:00Z", "a day that is none"), ("2100-02-29T00:00:00Z", "no leap year"),
        ("0000-01-01T00:00:00Z", "year 0"), ("9999-12-31T23:59:59Z", "the last that four digits have"),
        ("10000-01-01T00:00:00Z", "five digits"), ("+2100-01-01T00:00:00Z", "a sign"), ("2100-W01-1T00:00:00Z", "a week"),
        (" 2100-01-01T00:00:00Z", "a blank before"), ("2100-01-01T00:00:00Z ", "a blank after"),
        ("\u0662100-01-01T00:00:00Z", "a digit of another script"), ("1969-12-31T23:59:59Z", "before 1970"),
        ("2020-01-01T00:00:00Z", "in the past"), ("never", "a word"), ("", "empty"),
    ):
        case(f"expires-{json.dumps(text)}", "targets", f"`expires`: {why}", put("expires", value=text))
    case("expires-number", "targets", "`expires` as seconds since 1970", put("expires", value=4102444800))
    case("expired-team", "team", "a delegated role that expired", put("expires", value="2020-01-01T00:00:00Z"))

    # Root: keys and roles.
    case("threshold-0", "root", "threshold 0 for the timestamp, which is signed all the same", put("roles", "timestamp", "threshold", value=0))
    for name, value in (("negative", -1), ("float", 1.0), ("string", "1"), ("true", True), ("null", None), ("2-64", 2**64)):
        case(f"threshold-{name}", "root", f"threshold {json.dumps(value)} for the timestamp", put("roles", "timestamp", "threshold", value=value))
    case("threshold-2-of-1", "root", "threshold 2 for the snapshot, which has one key", put("roles", "snapshot", "threshold", value=2))
    case("threshold-root-2-of-1", "root", "threshold 2 for root, which has one key", put("roles", "root", "threshold", value=2))
    case("keyid-not-hash", "root", "a keyid that is a hash of something else", renamed_key("timestamp", "33" * 32))
    case("keyid-word", "root", "a keyid that is a word", renamed_key("timestamp", "timestamp-key"))
    case("keyid-empty", "root", "an empty keyid", renamed_key("timestamp", ""))
    case("keyid-upper-case", "root", "a keyid in upper case", renamed_key("timestamp", signer("timestamp").public_key.keyid.upper()))
    case("keyid-long", "root", "a keyid of a thousand characters", renamed_key("timestamp", "k" * 1000))
    case("one-key-two-keyids", "timestamp", "one key under two keyids signs twice for a threshold of two", second_keyid("timestamp", "root"))
    case("one-key-two-keyids-delegated", "team", "one key under two keyids signs twice for a threshold of two, in a delegation",
         second_keyid("team", "targets"))
    case("one-key-two-keyids-threshold-1", "root", "one key under two keyids, a threshold of one",
         both(second_keyid("timestamp", "root"), put("roles", "timestamp", "threshold", value=1)))

    def two_spellings(_: dict[str, Any], repository: Repository) -> None:
        second_keyid("timestamp", "root")(_, repository)
        other = repository.signed["root"]["keys"]["11" * 32]
        other["keyval"] = {"public": other["keyval"]["public"].upper()}

    case("one-key-two-spellings", "timestamp", "one key under two keyids, once in upper-case hexadecimal, signs twice for a threshold of two",
         two_spellings)

    def two_pems(_: dict[str, Any], repository: Repository) -> None:
        ec, keyid = signer("timestamp", "ecdsa"), "11" * 32
        other = key(ec)
        other["keyval"] = {"public": other["keyval"]["public"].strip().replace("\n", "\r\n") + "\r\n\r\n"}
        other["keytype"] = "ecdsa-sha2-nistp256"
        repository.signed["root"]["keys"] |= keys_of(ec) | {keyid: other}
        repository.signed["root"]["roles"]["timestamp"] = {"keyids": [ec.public_key.keyid, keyid], "threshold": 2}
        repository.signers["timestamp"] = [(ec.public_key.keyid, ec), (keyid, ec)]

    case("one-key-two-pems", "timestamp", "one P-256 key as two PEM texts and key types, signs twice for a threshold of two", two_pems)
    case("duplicate-keyid-in-role", "root", "a keyid twice in a role",
         lambda signed, _: signed["roles"]["timestamp"]["keyids"].append(signed["roles"]["timestamp"]["keyids"][0]))
    case("keyids-empty", "root", "no keyid in a role", put("roles", "timestamp", "keyids", value=[]))
    case("keyid-unknown", "root", "a role names a key that is not there, beside one that is",
         lambda signed, _: signed["roles"]["timestamp"]["keyids"].append("44" * 32))
    case("key-unused", "root", "a key that no role names", lambda signed, _: signed["keys"].update(keys_of(signer("unused"))))
    case("key-of-two-roles", "root", "one key for root and timestamp",
         lambda signed, _: signed["roles"]["root"]["keyids"].append(signer("timestamp").public_key.keyid))
    for name in ("root", "timestamp", "snapshot", "targets"):
        case(f"no-role-{name}", "root", f"no role `{name}`", drop("roles", name))
    case("mirrors-role", "root", "a fifth role in root", put("roles", "mirrors", value=role(signer("timestamp"))))
    case("roles-array", "root", "`roles` as an array", put("roles", value=[]))
    case("keys-array", "root", "`keys` as an array", put("keys", value=[]))
    case("consistent-snapshot-missing", "root", "no `consistent_snapshot`", drop("consistent_snapshot"))
    case("consistent-snapshot-string", "root", "`consistent_snapshot` as a string", put("consistent_snapshot", value="true"))
    case("consistent-snapshot-null", "root", "`consistent_snapshot` null", put("consistent_snapshot", value=None))

    def unused_key(**fields: Any) -> Edit:
        def edit(signed: dict[str, Any], _: Repository) -> None:
            other = key(signer("unused")) | fields
            signed["keys"]["55" * 32] = {name: value for name, value in other.items() if value is not None}

        return edit

    case("keytype-unknown", "root", "a key of an unknown type, which no role names", unused_key(keytype="dilithium"))
    case("scheme-unknown", "root", "a key with an unknown scheme, which no role names", unused_key(scheme="ed25519-v2"))
    case("keytype-missing", "root", "a key without a type, which no role names", unused_key(keytype=None))
    case("keyval-missing", "root", "a key without a value, which no role names", unused_key(keyval=None))
    case("key-public-missing", "root", "a key without `public`, which no role names", unused_key(keyval={}))
    case("key-public-not-hex", "root", "an Ed25519 key that is not hexadecimal, which no role names", unused_key(keyval={"public": "zz"}))
    case("key-public-short", "root", "an Ed25519 key of 31 bytes, which no role names", unused_key(keyval={"public": "00" * 31}))
    case("key-with-private", "root", "a key with its `private` part empty, as old files have it",
         unused_key(keyval={"public": signer("unused").public_key.keyval["public"], "private": ""}))
    case("key-unknown-field", "root", "an unknown field in a key", unused_key(**{"x-tuf-on-ci-keyowner": "@someone"}))
    case("keytype-unknown-used", "root", "beside a good key, the timestamp's role names one of an unknown type",
         both(unused_key(keytype="dilithium"), lambda signed, _: signed["roles"]["timestamp"]["keyids"].append("55" * 32)))
    case("key-bad-used", "root", "beside a good key, the timestamp's role names one that is no point of the curve; nobody signs with it",
         both(unused_key(keyval={"public": "02" + "00" * 31}),
              lambda signed, _: signed["roles"]["timestamp"]["keyids"].append("55" * 32)))

    def other_scheme(keytype: str, scheme: str, by: str) -> Edit:
        def edit(_: dict[str, Any], repository: Repository) -> None:
            s, keyid = signer("timestamp", by), "66" * 32
            root = repository.signed["root"]
            root["keys"][keyid] = key(s) | {"keytype": keytype, "scheme": scheme}
            root["roles"]["timestamp"] = {"keyids": [keyid], "threshold": 1}
            repository.signers["timestamp"] = [(keyid, s)]

        return edit

    case("key-ecdsa", "timestamp", "a P-256 key of type ecdsa", other_scheme("ecdsa", "ecdsa-sha2-nistp256", "ecdsa"))
    case("key-ecdsa-old-type", "timestamp", "a P-256 key of the older type", other_scheme("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "ecdsa"))
    case("key-rsa-pss", "timestamp", "an RSA-PSS key", other_scheme("rsa", "rsassa-pss-sha256", "rsa"))
    case("key-type-mismatch", "timestamp", "a P-256 key that calls itself RSA", other_scheme("rsa", "rsassa-pss-sha256", "ecdsa"))
    case("key-scheme-mismatch", "timestamp", "a P-256 key with the scheme of P-384", other_scheme("ecdsa", "ecdsa-sha2-nistp384", "ecdsa"))
    case("key-rsa-pkcs1", "timestamp", "an RSA key whose scheme is PKCS#1 v1.5, signed by PSS", other_scheme("rsa", "rsa-pkcs1v15-sha256", "rsa"))

    # Timestamp and snapshot.
    case("snapshot-missing", "timestamp", "no `snapshot.json`", drop("meta", "snapshot.json"))
    case("meta-missing", "timestamp", "no `meta`", drop("meta"))
    case("timestamp-more-meta", "timestamp", "another file beside `snapshot.json`", put("meta", "targets.json", value={"version": 1}))
    case("targets-missing", "snapshot", "no `targets.json`", drop("meta", "targets.json"))
    case("snapshot-itself", "snapshot", "`snapshot.json` and `root.json` in the snapshot, as old repositories have it",
         lambda signed, _: signed["meta"].update({"snapshot.json": {"version": 1}, "root.json": {"version": 1}}))
    case("meta-no-json", "snapshot", "a name in meta that does not end in .json", put("meta", "team.txt", value={"version": 1}))
    case("meta-version-missing", "snapshot", "no version in meta", drop("meta", "team.json", "version"))
    for name, value in (("0", 0), ("negative", -1), ("2-64", 2**64), ("string", "1")):
        case(f"meta-version-{name}", "snapshot", f"version {json.dumps(value)} in meta of a role that is asked for",
             meta("team.json", version=value))
    case("meta-hash", "snapshot", "length and hash of the targets", digest_of("targets"))
    case("meta-hash-upper-case", "snapshot", "the hash of the targets in upper case", digest_of("targets", change=str.upper))
    case("meta-hash-sha512", "snapshot", "only SHA-512 of the targets", digest_of("targets", "sha512"))
    case("meta-hash-unknown", "snapshot", "only a hash of an unknown algorithm", meta("targets.json", hashes={"sha9": "00" * 32}))
    case("meta-hash-unknown-beside", "snapshot", "a hash of an unknown algorithm beside a right one",
         both(digest_of("targets"), lambda signed, _: signed["meta"]["targets.json"]["hashes"].update(sha9="00" * 32)))
    case("meta-hash-weak", "snapshot", "only MD5 of the targets", digest_of("targets", "md5"))
    case("meta-hash-short", "snapshot", "SHA-256 with 31 bytes", digest_of("targets", change=lambda h: h[:-2]))
    case("meta-hash-wrong", "snapshot", "another hash", digest_of("targets", change=lambda h: "00" * 32))
    case("meta-hashes-empty", "snapshot", "`hashes` with nothing in it", meta("targets.json", hashes={}))
    case("meta-length-negative", "snapshot", "a negative length in meta", meta("targets.json", length=-1))
    case("meta-length-0", "snapshot", "length 0 in meta", meta("targets.json", length=0))
    case("meta-length-string", "snapshot", "a length that is a string", meta("targets.json", length="1"))
    case("meta-length-large", "snapshot", "a length of 2^53 in meta", meta("targets.json", length=2**53))

    # Targets.
    case("targets-field-missing", "targets", "no `targets`", drop("targets"))
    case("target-length-negative", "targets", "a negative length", in_target(length=-1))
    case("target-length-missing", "targets", "no length", in_target(length=None))
    case("target-length-string", "targets", "a length that is a string", in_target(length=str(len(CONTENT))))
    case("target-length-float", "targets", "a length with a fraction of zero", in_target(length=float(len(CONTENT))))
    case("target-length-true", "targets", "a length that is true", in_target(length=True))
    case("target-length-2-53+1", "targets", "a length of 2^53 + 1", in_target(length=2**53 + 1))
    case("target-length-2-64", "targets", "a length of 2^64", in_target(length=2**64))
    case("target-hashes-missing", "targets", "no hashes", in_target(hashes=None))
    case("target-hashes-empty", "targets", "`hashes` with nothing in it", in_target(hashes={}))
    case("target-hash-upper-case", "targets", "a hash in upper case", in_target(hashes={"sha256": SHA256.upper()}))
    case("target-hash-sha512", "targets", "only SHA-512", in_target(hashes={"sha512": SHA512}))
    case("target-hash-unknown", "targets", "only a hash of an unknown algorithm", in_target(hashes={"sha9": "00" * 32}))
    case("target-hash-unknown-beside", "targets", "a hash of an unknown algorithm beside a right one",
         in_target(hashes={"sha256": SHA256, "sha9": "00" * 32}))
    case("target-hash-weak", "targets", "only MD5", in_target(hashes={"md5": hashlib.md5(CONTENT).hexdigest()}))  # noqa: S324
    case("target-hash-short", "targets", "SHA-256 with 31 bytes", in_target(hashes={"sha256": SHA256[:-2]}))
    case("target-hash-not-hex", "targets", "a hash that is not hexadecimal", in_target(hashes={"sha256": "z" * 64}))
    case("target-hash-name-case", "targets", "SHA256 as the algorithm's name", in_target(hashes={"SHA256": SHA256}))
    case("target-hash-path", "targets", "a hash that is a path", in_target(hashes={"sha256": "../../x"}))
    case("target-hash-disagree", "targets", "a right SHA-256 and a wrong SHA-512", in_target(hashes={"sha256": SHA256, "sha512": "00" * 64}))
    case("target-custom-array", "targets", "`custom` that is an array", in_target(custom=[1]))
    for name, path in (("empty", ""), ("leading-slash", "/a/b"), ("dot-dot", "a/../b"), ("climbs", "../b"), ("dot", "./a"),
                       ("two-slashes", "a//b"), ("backslash", "a\\b"), ("nul", "a\0b"), ("trailing-slash", "a/")):
        case(f"target-path-{name}", "targets", f"beside the good one, the target path {json.dumps(path)}", more_targets(path))
    case("target-paths-nfc-nfd", "targets", "two target paths that differ in Unicode normalisation only",
         more_targets(unicodedata.normalize("NFC", "example.com/é"), unicodedata.normalize("NFD", "example.com/é")))

    # Delegations.
    for name in ("root", "timestamp", "snapshot", "targets"):
        case(f"delegated-{name}", "targets", f"a delegated role with the name `{name}`", delegated(name=name))
    for name, text in (("empty", ""), ("slash", "a/b"), ("dot-dot", ".."), ("climbs", "../../x"), ("number", "1.root"), ("nul", "a\0"),
                       ("percent", "a%2fb"), ("query", "a?b#c"), ("long", "n" * 1000), ("capitals", "Root"),
                       ("nfc", unicodedata.normalize("NFC", "é")), ("nfd", unicodedata.normalize("NFD", "é"))):
        case(f"delegated-name-{name}", "targets", f"a delegated role with the name {json.dumps(text[:20])}", delegated(name=text))
    case("delegated-name-missing", "targets", "a delegated role without a name", delegated(name=None))

    def twice(**fields: Any) -> Edit:
        def edit(signed: dict[str, Any], repository: Repository) -> None:
            roles = signed["delegations"]["roles"]
            roles.append(copy.deepcopy(roles[0]) | fields)
            repository.signed["snapshot"]["meta"][f"{roles[1]['name']}.json"] = {"version": 1}

        return edit

    case("delegated-twice", "targets", "two delegated roles with one name", twice(paths=["example.com/other/*"]))
    case("delegated-nfc-nfd", "targets", "two delegated roles whose names differ in Unicode normalisation only",
         both(delegated(name=unicodedata.normalize("NFC", "é")), twice(name=unicodedata.normalize("NFD", "é"))))
    case("delegated-case", "targets", "two delegated roles whose names differ in case only", twice(name="TEAM"))
    case("paths-and-prefixes", "targets", "both `paths` and `path_hash_prefixes`", delegated(path_hash_prefixes=["00"]))
    case("paths-nor-prefixes", "targets", "neither `paths` nor `path_hash_prefixes`", delegated(paths=None))
    case("paths-null", "targets", "`paths` is null, with `path_hash_prefixes`", both(delegated(path_hash_prefixes=[TEAM_PATH_HASH[:2]]), put("delegations", "roles", 0, "paths", value=None)))
    case("paths-empty", "targets", "`paths` with nothing in it", delegated(paths=[]))
    case("paths-string", "targets", "`paths` as a string", delegated(paths="example.com/team/@v/*"))
    case("paths-number", "targets", "a number in `paths`", delegated(paths=[1]))
    case("paths-bracket", "targets", "a pattern with [..], which the specification does not have", delegated(paths=["example.com/team/@[v]/*"]))
    case("paths-bracket-plain", "targets", "a pattern with [..] that has to be read as those characters to fit nothing",
         delegated(paths=["example.com/[t]eam/@v/*"]))
    case("paths-two-stars", "targets", "a pattern with **", delegated(paths=["example.com/**"]))
    case("paths-star", "targets", "the pattern *, which does not cross a slash", delegated(paths=["*"]))
    case("paths-question-mark", "targets", "a pattern with ?", delegated(paths=["example.com/t??m/@v/*"]))
    case("paths-leading-slash", "targets", "a pattern with a slash before it", delegated(paths=["/example.com/team/@v/*"]))
    case("paths-upper-case", "targets", "a pattern that differs in case", delegated(paths=["example.com/TEAM/@v/*"]))
    case("prefixes", "targets", "`path_hash_prefixes`", delegated(paths=None, path_hash_prefixes=[TEAM_PATH_HASH[:2]]))
    case("prefixes-upper-case", "targets", "a hash prefix in upper case",
         delegated(paths=None, path_hash_prefixes=[letters(TEAM_PATH_HASH).upper()]))
    case("prefixes-empty", "targets", "`path_hash_prefixes` with nothing in it", delegated(paths=None, path_hash_prefixes=[]))
    case("prefixes-empty-string", "targets", "an empty hash prefix", delegated(paths=None, path_hash_prefixes=[""]))
    case("prefixes-not-hex", "targets", "a hash prefix that is not hexadecimal", delegated(paths=None, path_hash_prefixes=["xy"]))
    case("prefixes-long", "targets", "a hash prefix longer than a hash", delegated(paths=None, path_hash_prefixes=[TEAM_PATH_HASH + "0"]))
    case("prefixes-whole", "targets", "a whole hash as the prefix", delegated(paths=None, path_hash_prefixes=[TEAM_PATH_HASH]))
    case("terminating-missing", "targets", "no `terminating`", delegated(terminating=None))
    case("terminating-string", "targets", "`terminating` as a string", delegated(terminating="false"))
    case("delegated-threshold-0", "targets", "threshold 0 in a delegation", delegated(threshold=0))
    case("delegated-keyids-empty", "targets", "no keyid in a delegation", delegated(keyids=[]))
    case("delegated-keyid-twice", "targets", "a keyid twice in a delegation", delegated(keyids=[signer("team").public_key.keyid] * 2))
    case("delegated-keyid-unknown", "targets", "a delegation that names a key of root, not of its own", delegated(keyids=[signer("targets").public_key.keyid]))
    case("delegations-null", "targets", "`delegations` is null", put("delegations", value=None))
    case("delegations-empty", "targets", "`delegations` with nothing in it", put("delegations", value={}))
    case("delegations-no-keys", "targets", "`delegations` without keys", drop("delegations", "keys"))
    case("delegations-no-roles", "targets", "`delegations` without roles", drop("delegations", "roles"))
    case("delegations-roles-empty", "targets", "`delegations` with no role", put("delegations", "roles", value=[]))
    case("delegations-roles-null", "targets", "`roles` is null", put("delegations", "roles", value=None))

    # TAP 15.
    case("succinct", "targets", "TAP 15, 16 bins", succinct())
    case("succinct-and-roles", "targets", "both `roles` and `succinct_roles`", succinct(with_roles=True))
    case("succinct-and-roles-null", "targets", "`succinct_roles`, and `roles` is null", both(succinct(), put("delegations", "roles", value=None)))
    case("succinct-and-roles-empty", "targets", "`succinct_roles`, and no role in `roles`", both(succinct(), put("delegations", "roles", value=[])))
    for bits in (1, 3, 5, 8, 31, 32):
        case(f"succinct-bits-{bits}", "targets", f"bit_length {bits}", succinct(bit_length=bits))
    for name, value in (("0", 0), ("33", 33), ("negative", -1), ("2-64", 2**64), ("float", 4.0), ("string", "4"), ("true", True), ("missing", None)):
        case(f"succinct-bits-{name}", "targets", f"bit_length {json.dumps(value)}", succinct(bit_length=value))
    for name, text in (("empty", ""), ("slash", "a/b"), ("climbs", "../x"), ("dash", "-"), ("root", "root"), ("nfd", unicodedata.normalize("NFD", "é")), ("capitals", "BIN"), ("long", "n" * 1000)):
        case(f"succinct-prefix-{name}", "targets", f"name_prefix {json.dumps(text[:20])}", succinct(name_prefix=text))
    case("succinct-prefix-missing", "targets", "no name_prefix", succinct(name_prefix=None))
    case("succinct-prefix-number", "targets", "a name_prefix that is a number", succinct(name_prefix=1))
    case("succinct-threshold-0", "targets", "threshold 0 for bins", succinct(threshold=0))
    case("succinct-keyids-empty", "targets", "no keyid for bins", succinct(keyids=[]))
    case("succinct-keyid-twice", "targets", "a keyid twice for bins", succinct(keyids=[signer("team").public_key.keyid] * 2))
    case("succinct-terminating-false", "targets", "`terminating` false, which TAP 15 does not have", succinct(terminating=False))
    case("succinct-name", "targets", "a `name`, which TAP 15 does not have", succinct(name="team"))
    case("succinct-array", "targets", "`succinct_roles` as an array", put("delegations", value={"keys": keys_of(signer("team")), "succinct_roles": []}))


def letters(digest: str) -> str:
    """A beginning of a hash that has a letter in it."""
    return digest[: next(i for i, c in enumerate(digest) if c.isalpha()) + 1]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cases()
    table = {"base": GOOD, "targets": [TARGET, TEAM_TARGET], "cases": CASES}
    Path(sys.argv[1]).write_text(json.dumps(table, indent=1) + "\n", encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
