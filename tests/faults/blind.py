"""`cbablate` with safeguards taken out, to prove that a campaign sees that they are gone.

python -m tests.faults.blind SAFEGUARD[,SAFEGUARD] WORDS...
"""

from __future__ import annotations

import sys
from collections.abc import Callable

__all__ = ["SAFEGUARDS", "take_out"]


def _lock() -> None:
    """`flock` lets everybody in."""
    from cbablate.records.sqlite import lock

    _replace(lock, "_flock", lambda *_: None)


def _lease() -> None:
    """Every holder of the lease is taken for dead, and nobody's lease is missed."""
    from cbablate.records.sqlite import lease

    _replace(lease, "_gone", lambda *_: True)
    _replace(lease.Lease, "confirm", lambda *_: None)


def _counting() -> None:
    """A writer takes the facts for its own that another put between them."""
    from cbablate.records.sqlite.ledger import SqliteLedger

    catch_up = SqliteLedger._catch_up

    def seal_again(ledger: SqliteLedger, connection: object) -> None:
        ledger._facts = -1
        catch_up(ledger, connection)  # type: ignore[arg-type]

    _replace(SqliteLedger, "_catch_up", seal_again)


def _attempts() -> None:
    """A history takes the facts of any attempt, and COMPLETE is held against no budget."""
    from cbablate.records import book, history

    _replace(history, "_open", lambda *_: True)
    _replace(book, "falsely_complete", lambda *_: False)


def _seal() -> None:
    """The facts that are there are all there were."""
    from cbablate.records.sqlite import ledger_file

    _replace(ledger_file, "_beside", lambda *_: None)
    _replace(ledger_file, "_base", lambda *_: None)
    _replace(ledger_file, "_pages", lambda *_: False)


def _replace(where: object, name: str, new: object) -> None:
    """Put something in the place of a function that is there: a safeguard that has another name by
    now is not taken out in silence.
    """
    if not hasattr(where, name):
        raise AttributeError(f"{where} has no {name}: this safeguard is elsewhere now")
    setattr(where, name, new)


SAFEGUARDS: dict[str, Callable[[], None]] = {
    "lock": _lock,
    "lease": _lease,
    "counting": _counting,
    "attempts": _attempts,
    "seal": _seal,
}


def take_out(safeguards: str) -> None:
    """Take safeguards, named with commas between them, out of this process."""
    for name in safeguards.split(","):
        SAFEGUARDS[name]()


if __name__ == "__main__":
    take_out(sys.argv[1])
    sys.argv[:] = ["cbablate", *sys.argv[2:]]
    from cbablate.cli.main import main

    main()
