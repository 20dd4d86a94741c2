"""`cbablate` with one safeguard taken out, to prove that a campaign sees that it is gone.

    python -m tests.faults.blind SAFEGUARD WORDS...
"""

from __future__ import annotations

import sys
from collections.abc import Callable

__all__ = ["SAFEGUARDS", "take_out"]


def _lock() -> None:
    """`flock` lets everybody in."""
    from cbablate.records import lock

    class Open:
        def __getattr__(self, name: str) -> object:
            import fcntl

            return (lambda *_: None) if name == "flock" else getattr(fcntl, name)

    lock.fcntl = Open()  # type: ignore[attr-defined]


SAFEGUARDS: dict[str, Callable[[], None]] = {"lock": _lock}


def take_out(safeguard: str) -> None:
    """Take a safeguard out of this process."""
    SAFEGUARDS[safeguard]()


if __name__ == "__main__":
    take_out(sys.argv[1])
    sys.argv[:] = ["cbablate", *sys.argv[2:]]
    from cbablate.cli.main import main

    main()
