"""`python -m benchmarks NAME [options]`, from the root of a checkout."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> dict[str, str]:
    """The benchmarks by name: modules and packages beside this one, without `_checks`."""
    found = [*FOLDER.glob("[a-z]*.py"), *(one.parent for one in FOLDER.glob("*/__main__.py"))]
    return {one.stem.removesuffix("_checks"): one.stem for one in sorted(found)}


def main() -> int:
    """Run the benchmark that is named, with the other words as its options."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in names():
        print(f"Which benchmark? {', '.join(names())}", file=sys.stderr)
        return 2
    place = names()[name]
    packaged = (FOLDER / place).is_dir()
    sys.argv = [f"benchmarks {name}", *sys.argv[2:]]
    module = importlib.import_module(f"benchmarks.{place}" + (".__main__" if packaged else ""))
    return int(module.main() or 0)


if __name__ == "__main__":
    sys.exit(main())
