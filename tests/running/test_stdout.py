"""Nothing but the product on stdout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, sys
from cbablate.running.isolation.stdout import stdout_kept
print("product 1")
with stdout_kept():
    print("a print")
    os.write(1, b"a descriptor\\n")
    os.system("echo a child")
    print("an original", file=sys.__stdout__)
print("product 2")
"""


def test_whoever_writes_to_stdout_writes_to_stderr_and_the_product_comes_through() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "product 1\nproduct 2\n"
    assert set(done.stderr.splitlines()) == {"a print", "a descriptor", "a child", "an original"}


def test_a_process_without_a_stdout_keeps_the_file_that_has_its_number(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from cbablate.running.isolation.stdout import stdout_kept\n"
        "assert os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY) == 1\n"
        "with stdout_kept():\n"
        "    os.write(1, b'its own'); print('a print')\n"
    )
    path = tmp_path / "file"
    closed = ["sh", "-c", 'exec >&-; exec "$@"', "sh", sys.executable, "-c", program, str(path)]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_text() == "its own"
    assert done.stderr == "a print\n"
