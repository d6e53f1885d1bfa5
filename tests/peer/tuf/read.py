"""python-tuf's client on a repository: `read.py [options] METADATA-URL ROOT [TARGET…]`.

Refreshes from ROOT, a file with the root to trust first, and downloads each target. Prints one line of JSON: the
versions that it then trusts, and for each target its length, its SHA-256, its `custom` and the role that answered; or
`{"error": …}` with exit status 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

from tuf.ngclient import Updater, UpdaterConfig


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("metadata_url")
    parser.add_argument("root", type=Path)
    parser.add_argument("target", nargs="*")
    parser.add_argument("--targets-url", help="where targets are; the default is the folder above METADATA-URL")
    parser.add_argument("--keep", type=Path, help="a folder for metadata, so that a next run knows what this one saw")
    options = parser.parse_args()
    metadata_url = options.metadata_url.rstrip("/")
    with tempfile.TemporaryDirectory() as temporary:
        metadata, targets = options.keep or Path(temporary, "metadata"), Path(temporary, "targets")
        metadata.mkdir(parents=True, exist_ok=True)
        targets.mkdir()
        try:
            found = read(options, metadata_url, metadata, targets)
        except Exception as e:  # noqa: BLE001 every failure of the client is an answer
            found = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(found, sort_keys=True))
    return 1 if "error" in found else 0


def read(options: argparse.Namespace, metadata_url: str, metadata: Path, targets: Path) -> dict:
    updater = Updater(
        str(metadata),
        metadata_url,
        str(targets),
        options.targets_url or metadata_url.rpartition("/")[0],
        config=UpdaterConfig(max_root_rotations=1024),
        bootstrap=options.root.read_bytes(),
    )
    updater.refresh()
    found = {}
    for path in options.target:
        info = updater.get_targetinfo(path)
        if info is None:
            raise LookupError(f"no target {path}")
        content = Path(updater.download_target(info)).read_bytes()
        found[path] = {
            "length": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "custom": info.custom,
        }
    versions = {}
    for file in sorted(metadata.glob("*.json")):
        versions[file.stem] = json.loads(file.read_bytes())["signed"]["version"]
    return {"versions": versions, "targets": found}


if __name__ == "__main__":
    sys.exit(main())
