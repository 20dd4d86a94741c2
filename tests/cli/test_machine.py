"""A machine that refuses at a line where nobody expected it: a sentence, and exit code 4."""

from __future__ import annotations

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cbablate.errors import machine_fault
from tests.toys import toy_file


@pytest.mark.slow
@pytest.mark.parametrize("limit", [10, 12, 13])
def test_too_few_descriptors_for_a_driver_are_a_sentence(limit: int, tmp_path: Path) -> None:
    toy_file(tmp_path, epochs=2, replicates=2)
    words = ["run", "toys.yaml", "--on", "local", "--no-mirrors", "--results", "r"]
    ran = subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
    )
    assert ran.returncode == 4, (ran.returncode, ran.stderr)
    assert "open files" in ran.stderr or "cannot be opened" in ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr


def test_only_what_the_machine_refuses_is_its_fault() -> None:
    for number in (errno.ENOSPC, errno.EMFILE, errno.EROFS, errno.EIO):
        fault = machine_fault(OSError(number, "said", "a/file"))
        assert fault is not None and fault.exit_code == 4
        assert "a/file" in str(fault)
    assert machine_fault(OSError(errno.ENOENT, "said")) is None
