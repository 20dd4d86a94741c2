from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cbablate.data.batches import Batches, Split
from cbablate.data.images import opened
from tests.contracts.batches import BatchesContract
from tests.data.files import write_folder
from tests.data.test_stream import RECIPE, config


class TestHeld(BatchesContract):
    def batches(self) -> Batches:
        drawn = torch.Generator().manual_seed(0)
        return Split(torch.rand(9, 1, 4, 4, generator=drawn), torch.arange(9) % 3)


class TestStreamed(BatchesContract):
    @pytest.fixture(autouse=True)
    def _folder(self, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CBABLATE_WORKERS", "0")
        write_folder(data_root / "some", parts={"train": 4, "val": 1, "test": 1})

    def batches(self) -> Batches:
        return opened(config(augment=RECIPE)).train
