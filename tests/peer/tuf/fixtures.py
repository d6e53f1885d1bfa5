"""The repositories under tests/fixtures/tuf: `fixtures.py DIR` writes them, the same bytes every time."""

import sys
from pathlib import Path

from write import write

FIXTURES = {
    "succinct": "succinct",
    "teams": "teams --bits 1",
    "paths": "paths",
    "prefixes": "prefixes --bits 2 --hashes",
    "keys": "keys",
    "rotated": "rotated --roots 5",
    "flat": "plain --not-consistent",
    "expired": "plain --expired timestamp",
}

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for name, arguments in FIXTURES.items():
        write(Path(sys.argv[1], name), arguments.split())
