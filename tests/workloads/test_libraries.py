"""Libraries: a study is not said to be made with what its workload does not use."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.workloads.catalog import describe
from cbablate.workloads.own_code.libraries import libraries_of
from cbablate.workloads.own_code.source import code_of


@pytest.mark.parametrize(
    ("source", "libraries"),
    [
        ("import math, random\nfrom cbablate.records.measurement import Measurement", frozenset()),
        ("def f():\n    import numpy.linalg", frozenset({"numpy"})),
        ("from timm.layers import Mlp", frozenset({"timm", "torch", "numpy"})),
        ("import torch", frozenset({"torch", "numpy"})),
        ("import subprocess", None),  # whatever it starts may use more
        ("import sklearn", None),
        ("from importlib import import_module", None),
    ],
)
def test_libraries_are_those_that_the_code_imports_if_it_can_use_no_others(
    source: str, libraries: frozenset[str] | None, tmp_path: Path
) -> None:
    (tmp_path / "helper.py").write_text(f"{source}\n")
    (tmp_path / "own.py").write_text("import helper\n")
    code = code_of("own", tmp_path)
    assert code is not None
    assert libraries_of(code) == libraries


def test_the_workloads_that_ship_name_theirs() -> None:
    assert describe("toy", Path()).libraries() == frozenset()
    assert describe("image_classification", Path()).libraries() == {"torch", "timm", "numpy"}
