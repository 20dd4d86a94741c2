"""Installed distributions as part of a workload's code: by name, version and what was installed."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PathDistribution, distributions
from pathlib import Path

from cbablate.spec.code import Distribution
from cbablate.workloads.own_code.whereabouts import is_library

__all__ = ["distribution_of", "from_a_folder", "installed"]


def distribution_of(file: Path) -> Distribution | None:
    """The distribution that installed a file; None if none says so."""
    for parent in file.parents:
        if not is_library(parent):
            return None
        for one in distributions(path=[str(parent)]):
            if file.relative_to(parent).as_posix() in dict(_files(one.read_text("RECORD") or "")):
                return _identity(one.name, one.version, one.read_text("RECORD") or "")
    return None


def installed(name: str) -> Distribution | None:
    """The distribution of this name that is installed here; None if there is none."""
    for one in distributions(name=name):
        return _identity(one.name, one.version, one.read_text("RECORD") or "")
    return None


def from_a_folder(module: str) -> Distribution | None:
    """The distribution that has this top-level module, if it was installed from a folder, an
    archive or a repository and not from an index by its number.

    Such a one is code under development, whose version may stay while its code changes. Those
    from an index are the libraries that a study is run with: their versions are recorded with
    each trial, and a table whose trials differ in them says so.
    """
    return _under_development(tuple(sys.path)).get(module)


@lru_cache(maxsize=8)
def _under_development(path: tuple[str, ...]) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    for folder in dict.fromkeys(map(Path, path)):
        if not is_library(folder):
            continue
        for origin in sorted(folder.glob("*.dist-info/direct_url.json")):
            try:
                editable = json.loads(origin.read_bytes()).get("dir_info", {}).get("editable")
            except (OSError, ValueError, AttributeError):
                continue
            one = PathDistribution(origin.parent)
            record = one.read_text("RECORD") or ""
            if not editable:
                identity = _identity(one.name, one.version, record)
                for name, _ in _files(record):
                    found.setdefault(name.partition("/")[0].removesuffix(".py"), identity)
    return found


def _identity(name: str, version: str, record: str) -> Distribution:
    said = "\n".join(f"{path} {digest}" for path, digest in sorted(_files(record)))
    return Distribution(name, version, hashlib.sha256(said.encode()).hexdigest()[:20])


def _files(record: str) -> Iterator[tuple[str, str]]:
    """The Python files of a distribution with their digests.

    Its metadata, scripts and compiled files are left out: they differ from machine to machine.
    """
    for row in csv.reader(record.splitlines()):
        path, digest = [*row, "", ""][:2]
        if path.endswith(".py") and digest and not path.startswith(("..", "/")):
            yield path, digest
