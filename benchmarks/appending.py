"""What an append costs under each way of keeping what has ended out of the -wal alone.

    python -m benchmarks appending [--trials N] [--folder FOLDER]

Trials of five measurements and an end are appended, one transaction each, to a bare SQLite table
with full synchronisation; beside them nobody reads, or two processes read all of it again and
again. `kept alone` is how many trials `ledger.sqlite` has by itself, copied before it is closed.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = {
    "WAL, SQLite copies pages when it likes": ("WAL", ""),
    "WAL, passive checkpoint at each end": ("WAL", "PASSIVE"),
    "WAL, full checkpoint at each end": ("WAL", "FULL"),
    "WAL, truncating checkpoint at each end (ours)": ("WAL", "TRUNCATE"),
    "rollback journal, deleted": ("DELETE", ""),
    "rollback journal, kept": ("PERSIST", ""),
}
READ = """
import sqlite3, sys, time
while True:
    try:
        c = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=10)
        c.execute("SELECT * FROM records").fetchall()
        c.close()
    except sqlite3.Error as error:
        print(error, flush=True)
    time.sleep(0.05)
"""


def main() -> None:
    """Time every way, without and with readers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    print("| way | readers | appends/s | slowest (ms) | median end (ms) | kept alone | errors |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for readers in (0, 2):
        for name, (journal, checkpoint) in WAYS.items():
            folder = Path(tempfile.mkdtemp(prefix="cbablate-append-", dir=asked.folder))
            row = timed(folder, journal, checkpoint, trials=asked.trials, readers=readers)
            print(f"| {name} | {readers} | {row} |", flush=True)
            shutil.rmtree(folder)


def timed(folder: Path, journal: str, checkpoint: str, *, trials: int, readers: int) -> str:
    """One way's row."""
    path = folder / "ledger.sqlite"
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE records (sequence INTEGER PRIMARY KEY, kind, body)")
    log = (folder / "log").open("w+")
    beside = [
        subprocess.Popen([sys.executable, "-c", READ, str(path)], stdout=log)
        for _ in range(readers)
    ]
    time.sleep(0.5 if readers else 0)
    body, took, ends = "x" * 300, [], []
    try:
        for _ in range(trials):
            for kind in ("measured",) * 5 + ("ended",):
                began = time.perf_counter()
                connection.execute("INSERT INTO records (kind, body) VALUES (?, ?)", (kind, body))
                if checkpoint and kind == "ended":
                    connection.execute(f"PRAGMA wal_checkpoint({checkpoint})").fetchall()
                took.append(time.perf_counter() - began)
                if kind == "ended":
                    ends.append(took[-1])
    finally:
        for reader in beside:
            reader.kill()
            reader.wait()
    shutil.copy(path, folder / "alone")
    alone = sqlite3.connect(folder / "alone")
    try:
        (kept,) = alone.execute("SELECT count(*) FROM records WHERE kind = 'ended'").fetchone()
    except sqlite3.Error:
        kept = 0
    log.seek(0)
    rate, errors = len(took) / sum(took), len(log.readlines())
    median = statistics.median(ends) * 1000
    return f"{rate:.0f} | {max(took) * 1000:.0f} | {median:.1f} | {kept}/{trials} | {errors}"


if __name__ == "__main__":
    main()
