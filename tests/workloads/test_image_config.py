from __future__ import annotations

import subprocess
import sys
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cbablate.data.catalog import DATASETS
from cbablate.data.images import READERS
from cbablate.models.operators import OPERATORS
from cbablate.models.placing import PLACES
from cbablate.workloads.image_config import Data, Placement, resolve
from tests.workloads.images import TINY, tiny


def test_the_names_a_study_can_write_are_those_the_tables_have() -> None:
    written = Placement.model_fields
    assert set(get_args(written["operator"].annotation)) == set(OPERATORS)
    assert set(get_args(written["place"].annotation)) == set(PLACES)
    names = set(get_args(Data.model_fields["name"].annotation))
    assert names == set(DATASETS) == set(READERS)


def test_reading_a_config_imports_no_library_that_trains() -> None:
    code = (
        "import sys, cbablate.workloads.image_config, cbablate.workloads.image_metrics;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'numpy', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_resolving_twice_changes_nothing() -> None:
    once = tiny({"context": {"operator": "cb", "blocks": [1, 0]}})
    assert resolve(once) == once


@pytest.mark.parametrize("written", [None, "none", []])
def test_no_context_can_be_written_in_three_ways(written: Any) -> None:
    assert tiny({"context": written})["context"] == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model.num_heads": 3}, "not a multiple of num_heads 3"),
        ({"model.patch_size": 3}, "not a multiple of patch_size 3"),
        ({"model.img_size": 16}, "images of 'digits' have 8"),
        ({"model.in_chans": 3}, "images of 'digits' have 1"),
        ({"augment.mixup": 0.8, "batch_size": 63}, "batch_size 63 must be even"),
        ({"schedule.warmup_lr": 1.0}, "above optimizer.lr 0.002"),
        ({"schedule.min_lr": 1.0}, "above optimizer.lr 0.002"),
        ({"context": {"operator": "cb", "blocks": "some"}}, "write all, first K"),
        ({"context": {"operator": "cb", "blocks": "first 0"}}, "write all, first K"),
        ({"context": {"operator": "cb", "blocks": []}}, "empty list"),
        ({"context": {"operator": "cb", "blocks": [0, 0]}}, "names a block twice"),
        ({"context": {"operator": "cb", "blocks": [-1]}}, "count from 0"),
        ({"context": "cb"}, "is no placement"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        tiny(changes)
    assert sentence in str(raised.value)


@given(st.sampled_from(sorted(TINY["model"])))
def test_a_misspelt_model_key_is_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        tiny({f"model.{key}x": 1})
