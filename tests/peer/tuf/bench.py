"""How fast python-tuf's client is, and what it asks for: for benches/, beside modanchor.

    bench.py prepare DIR                 a repository of 100,000 targets in 4,096 bins (TAP 15), if it is not there
    bench.py unchanged [--runs N] METADATA-URL ROOT FOLDER
    bench.py cold [--runs N] METADATA-URL ROOT FOLDER TARGET

`unchanged` refreshes with what an earlier run left in FOLDER; `cold` knows nothing but ROOT, and finds and downloads one
target. Both print one line of JSON: `seconds`, one number per run, from a new client to its answer, in a process that
has started already; `requests` and `bytes`, of metadata and targets together, of the last run. A run that does not
verify ends it: a wrong answer has no speed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tuf.ngclient import Updater
from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher

from write import write

# Three targets each; 100,002 in all.
MODULES = 33_334
BITS = 12
TARGET = "example.com/binned/m0/@v/v1.0.0.zip"


class Counting(Urllib3Fetcher):
    """The client's own fetcher, counted."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = self.bytes = 0

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.requests += 1
        for chunk in super()._fetch(url):
            self.bytes += len(chunk)
            yield chunk


def client(options: argparse.Namespace, folder: Path, root: bytes) -> tuple[Updater, Counting]:
    (folder / "targets").mkdir(parents=True, exist_ok=True)
    fetcher = Counting()
    targets_url = options.metadata_url.rstrip("/").rpartition("/")[0]
    updater = Updater(
        str(folder), options.metadata_url, str(folder / "targets"), targets_url, fetcher, bootstrap=root
    )
    return updater, fetcher


def unchanged(options: argparse.Namespace, folder: Path, root: bytes) -> tuple[float, Counting]:
    start = time.perf_counter()
    updater, fetcher = client(options, folder, root)
    updater.refresh()
    return time.perf_counter() - start, fetcher


def cold(options: argparse.Namespace, folder: Path, root: bytes) -> tuple[float, Counting]:
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    updater, fetcher = client(options, folder, root)
    info = updater.get_targetinfo(options.target)
    if info is None:
        raise LookupError(f"no target {options.target}")
    updater.download_target(info)
    return time.perf_counter() - start, fetcher


def prepare(folder: Path) -> None:
    if (folder / "tuf/timestamp.json").exists():
        return
    # Of the modules, one's files are enough: the rest is metadata.
    write(folder, ["succinct", "--bits", str(BITS), "--modules", str(MODULES), "--files-of", "1"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(required=True, dest="task")
    tasks.add_parser("prepare").add_argument("folder", type=Path)
    for name in ("unchanged", "cold"):
        task = tasks.add_parser(name)
        task.add_argument("--runs", type=int, default=1)
        task.add_argument("metadata_url")
        task.add_argument("root", type=Path)
        task.add_argument("folder", type=Path)
    task.add_argument("target", nargs="?", default=TARGET)
    options = parser.parse_args()
    if options.task == "prepare":
        prepare(options.folder)
        return
    root = options.root.read_bytes()
    run = unchanged if options.task == "unchanged" else cold
    if options.task == "unchanged":
        # So that there is something that can be unchanged.
        unchanged(options, options.folder, root)
    seconds = []
    for _ in range(options.runs):
        took, fetcher = run(options, options.folder, root)
        seconds.append(took)
    json.dump({"seconds": seconds, "requests": fetcher.requests, "bytes": fetcher.bytes}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
