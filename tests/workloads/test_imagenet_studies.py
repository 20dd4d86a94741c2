"""The studies at ImageNet's scale, on image folders made here: two classes of one image a split.

Every study is planned as it is written. Every configuration that any of them trains is then trained
for 3 updates by its own recipe: images of 224 pixels, 196 patches, augmentation, optimizer and
precision. Shrunk is what a CPU and two images force: the budget from 300 epochs to 3 updates, the
warm-up from 5 epochs to 1 to fit it, the batch to the images there are (which the loop does by
itself), and models to 1 block, all but DeiT-Ti with and without CB, which are whole. Probes are
measured once, all of them, on one block.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cbablate import api
from cbablate.data import images, listing
from cbablate.planning.plan import Plan
from cbablate.probes.catalog import metrics_of
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.spec.loading.changes import apply
from cbablate.workloads.images.image_classification import run
from cbablate.workloads.images.image_config import resolve
from tests.data.files import write_folder

pytestmark = pytest.mark.slow

STUDIES = sorted((Path(__file__).parents[2] / "studies" / "paper").glob("*-imagenet.yaml"))
WHOLE = {"01-entropy-imagenet: trained", "02-lower-entropy-imagenet: CB"}


@pytest.fixture(scope="module", autouse=True)
def _imagenet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    root = tmp_path_factory.mktemp("data")
    write_folder(root / "imagenet", parts={"train": 1, "val": 1, "test": 1})
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CBABLATE_DATA", str(root))
        patched.setenv("XDG_CACHE_HOME", str(root / "cache"))
        patched.setenv("CBABLATE_WORKERS", "0")
        images._load.cache_clear()
        listing._listing.cache_clear()
        yield
    listing._listing.cache_clear()


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {study.stem: api.plan(api.load_study(study)) for study in STUDIES}


def _configs(plans: dict[str, Plan]) -> dict[str, dict[str, Any]]:
    """Every configuration, once, by the first study and arm that have it; without its probes."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for study, plan in plans.items():
        for arm in plan.arms:
            config = {key: value for key, value in arm.config.items() if key != "probes"}
            written = json.dumps(config, sort_keys=True)
            found.setdefault(written, (f"{study}: {arm.name}", config))
    return dict(found.values())


def _trained(config: dict[str, Any], changes: dict[str, Any]) -> list[Measurement]:
    shrunk = resolve(apply(config, {"schedule.warmup_epochs": 1, **changes}))
    return list(run(shrunk, seed=0, budget=Budget(steps=3), workdir=Path()))


def test_every_study_plans_as_written_at_224_pixels_for_300_epochs(plans: dict[str, Plan]) -> None:
    assert len(plans) == 10
    for plan in plans.values():
        assert len(plan.trials) == 3 * len(plan.arms)
        assert plan.study.budget == Budget(epochs=300)
        assert {arm.config["data"]["img_size"] for arm in plan.arms} == {224}


def test_every_configuration_of_the_studies_trains_3_updates(plans: dict[str, Plan]) -> None:
    configs = _configs(plans)
    assert set(configs) >= WHOLE
    for name, config in configs.items():
        told = _trained(config, {} if name in WHOLE else {"model.depth": 1})
        assert [each.spent for each in told] == [1, 2, 3], name
        losses = [each.metrics["train/loss"] for each in told]
        assert all(map(math.isfinite, losses)), name
        assert losses[0] != losses[2], name
        entropy = told[-1].vectors["attention/entropy"]
        assert len(entropy) == (12 if name in WHOLE else 1), name
        assert max(entropy) <= math.log(197) + 1e-5, name


def test_every_probe_of_the_studies_is_measured_at_224_pixels(plans: dict[str, Plan]) -> None:
    asked = {tuple(arm.config["probes"]) for plan in plans.values() for arm in plan.arms}
    (probes,) = asked
    baseline = plans["06-robustness-imagenet"].arms[0].config
    last = _trained(dict(baseline), {"model.depth": 1})[-1]
    assert set(metrics_of(probes)) <= set(last.metrics)
