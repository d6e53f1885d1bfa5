"""Has modanchor's component judge, from Python: no modanchor here, only wasmtime and the contract (wit/).

    verdict.py replay FILE    judge again what `modanchor verify --record FILE` recorded: the report goes to stdout
    verdict.py h1 ZIP         the h1 of a module's zip, as in go.sum

Nothing in a file is believed but what the component makes of it. The status is the recorded one (0, 1 or 3) only if the
component asks the very questions that were recorded and comes to the very report; anything else is status 2.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker, ResourceHost, ResourceType, ValType

from contract import Referred, read, read_contents, which, write, write_contents

SCHEMA = "modanchor-evidence/1"
MAX_FILE = 64 << 20
MAX_DOCUMENT = 256 << 20
MAX_COMMAS = 4 << 20
MAX_ROUNDS = 10_000

# RFC 1952, and of its extra field the subfield `MA` with 32 bytes: the SHA-256 of all bytes that follow it.
HEAD = bytes.fromhex("1f8b08040000000000ff 2400 4d412000")
BODY = len(HEAD) + 32

# What a run may take: bytes, and wasmtime's fuel, about one for each instruction. Whoever made the file chose the job, and
# it may not go on for ever. A thousand lines take 3 * 10**9.
MAX_MEMORY = 2 << 30
MAX_FUEL = 10**12

# What this host calls the one kind of resource that it makes.
BLOB = 1


class Refused(Exception):
    """There is no verdict. The text says why."""


class Verifier:
    """The component, and the one thing that it imports."""

    def __init__(self, path: Path) -> None:
        code = path.read_bytes()
        self.digest = f"sha256:{hashlib.sha256(code).hexdigest()}"
        config = Config()
        config.consume_fuel = True
        engine = Engine(config)
        self.store = Store(engine)
        self.store.set_limits(memory_size=MAX_MEMORY)
        self.store.set_fuel(MAX_FUEL)
        self.blobs: list[BinaryIO] = []
        linker = Linker(engine)
        with linker.root() as root, root.add_instance("modanchor:verifier/blob@0.1.0") as blob:
            blob.add_resource("blob", ResourceType.host(BLOB), lambda _store, _rep: None)
            blob.add_func("[method]blob.size", lambda store, it: self.blob(store, it).seek(0, io.SEEK_END))
            blob.add_func("[method]blob.read-at", self.read_at)
        self.instance = linker.instantiate(self.store, Component(engine, code))
        # The types of the contract, from the component's own functions.
        self.start = self.function("verify", "[constructor]verification")
        self.step = self.function("verify", "[method]verification.step")
        [(_, self.job)] = self.start.type(self.store).params
        [_, (_, self.responses)] = self.step.type(self.store).params
        self.next = dict(self.step.type(self.store).result.fields)["next"]
        self.requests, self.outcome, _ = (of for _, of in self.next.cases)

    def function(self, interface: str, name: str) -> Any:
        """A function that the component exports."""
        exports = self.instance.get_export_index(self.store, f"modanchor:verifier/{interface}@0.1.0")
        return self.instance.get_func(self.store, self.instance.get_export_index(self.store, name, exports))

    def blob(self, store: Any, resource: Any) -> BinaryIO:
        """The file that a `blob` of the contract stands for."""
        return self.blobs[resource.to_host(store).rep]

    def read_at(self, store: Any, resource: Any, offset: int, length: int) -> bytes | str:
        """`read-at`: exactly so many bytes, or a `read-error`."""
        try:
            file = self.blob(store, resource)
            file.seek(offset)
            content = file.read(length)
        except OSError:
            return "failed"
        return content if len(content) == length else "changed"

    def h1_zip(self, file: BinaryIO) -> str:
        """The h1 of a zip, made by the component, which reads the file through `blob`."""
        self.blobs.append(file)
        h1_zip = self.function("hashing", "h1-zip")
        found = h1_zip(self.store, ResourceHost.borrow(len(self.blobs) - 1, BLOB), None, False)
        tag, value = which(h1_zip.type(self.store).result, found)
        if tag == "err":
            raise Refused(f"no h1: {getattr(value, 'text', value)}")  # `hashing-error`: a refusal, or a name
        return value.h1


def read_file(path: Path) -> bytes:
    """The document in a file of evidence, as long as every byte of it is the one that was written."""
    file = path.read_bytes()
    if not file.startswith(HEAD):
        raise Refused("not a file of evidence")
    if len(file) > MAX_FILE:
        raise Refused("the file is too large")
    if hashlib.sha256(file[BODY:]).digest() != file[len(HEAD) : BODY]:
        raise Refused("the file was changed, or is cut off")
    member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    document = member.decompress(file, MAX_DOCUMENT + 1)
    if len(document) > MAX_DOCUMENT or not member.eof or member.unused_data:
        raise Refused("the file does not inflate to one document of at most 256 MiB")
    if document.count(b",") > MAX_COMMAS:
        raise Refused("the document has too many values")
    return document


def read_evidence(verifier: Verifier, document: bytes) -> tuple[Any, list[tuple[Any, Any]], Any]:
    """The job, the requests and responses of every round, and the outcome: values as wasmtime takes them."""
    evidence = json.loads(document)
    if evidence["schema"] != SCHEMA:
        raise Refused(f"this reads {SCHEMA}")
    if len(evidence["exchange"]) > MAX_ROUNDS:
        raise Refused("more rounds of questions than a file may have")
    contents = Referred(read_contents(evidence["contents"]))
    job = read(verifier.job, evidence["job"], contents)
    rounds = [
        tuple(
            read(kind, [each[name] for each in asked], contents)
            for name, kind in (("request", verifier.requests), ("response", verifier.responses))
        )
        for asked in evidence["exchange"]
    ]
    outcome = read(verifier.outcome, evidence["outcome"], contents)

    # Written again it must be the same text: then there is one way to understand it.
    contents = {}
    again = {
        "schema": SCHEMA,
        "job": write(verifier.job, job, contents),
        "exchange": [
            [
                {"request": request, "response": response}
                for request, response in zip(
                    write(verifier.requests, requests, contents),
                    write(verifier.responses, responses, contents),
                    strict=True,
                )
            ]
            for requests, responses in rounds
        ],
        "outcome": write(verifier.outcome, outcome, contents),
        "contents": write_contents(contents),
    }
    if json.dumps(again, ensure_ascii=False, separators=(",", ":")).encode() != document:
        raise Refused("the document is not written as it has to be")
    return job, rounds, outcome


def replay(verifier: Verifier, document: bytes) -> Any:
    """Judges again: gives the outcome, which is the recorded one."""
    job, rounds, recorded = read_evidence(verifier, document)
    if job.tool.component != verifier.digest:
        raise Refused(f"recorded with the component {job.tool.component}, and this one is {verifier.digest}")
    left = iter(rounds)
    session = verifier.start(verifier.store, job)
    answers: list[Any] = []
    while True:
        tag, value = which(verifier.next, verifier.step(verifier.store, session, answers).next)
        match tag:
            case "need":
                requests, answers = next(left, (None, []))
                if requests is None or not same(verifier.requests, value, requests):
                    raise Refused("the component asks for something else than was recorded")
            case "done":
                if next(left, None) is not None:
                    raise Refused("the evidence answers what was never asked")
                if not same(verifier.outcome, value, recorded):
                    raise Refused("the component comes to another outcome than was recorded")
                return value
            case _:
                raise Refused("the component refuses the job")


def same(kind: ValType, one: Any, other: Any) -> bool:
    """Whether two values are equal, bytes by their digests."""
    return write(kind, one, {}) == write(kind, other, {})


def main() -> int:
    """Runs the command, and gives its status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["replay", "h1"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--component", type=Path, default=Path(__file__).resolve().parents[3] / "dist/modanchor.wasm")
    args = parser.parse_args()
    try:
        if args.what == "h1":
            with args.file.open("rb") as file:
                print(Verifier(args.component).h1_zip(file))
            return 0
        document = read_file(args.file)
        outcome = replay(Verifier(args.component), document)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError, zlib.error) as error:
        print(f"error: what is in the file is not evidence: {error!r}", file=sys.stderr)
    except (OSError, WasmtimeError) as error:
        print(f"error: {error}", file=sys.stderr)
    else:
        sys.stdout.buffer.write(outcome.report + b"\n")
        return outcome.status
    return 2


if __name__ == "__main__":
    sys.exit(main())
