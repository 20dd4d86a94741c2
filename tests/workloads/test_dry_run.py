"""What verification passes takes a training step, and what it refuses is told in a sentence."""

from __future__ import annotations

import os
import random
import re
from typing import Any

import pytest
import timm
import timm.optim
import torch
from torch import Tensor, nn

from cbablate.data.images import opened
from cbablate.models.building import build
from cbablate.spec.budget import Budget
from cbablate.spec.loading.changes import apply
from cbablate.training import recipe
from cbablate.training.compute import choose
from cbablate.training.loop import Progress, fit
from cbablate.training.recipe import Recipe
from cbablate.workloads.images import dry_run
from cbablate.workloads.images.image_classification import verify
from cbablate.workloads.images.image_config import resolve
from tests.models.families import FAMILIES, SIDES
from tests.workloads.images import TINY, tiny


def config_of(model: dict[str, Any], **also: Any) -> dict[str, Any]:
    return resolve({**TINY, "model": model, **also})


def refusal(config: dict[str, Any], budget: Budget | None = None) -> str:
    """The sentence that verification refuses an arm with, empty where it is taken."""
    return "\n".join(verify({"arm": config}, budget=budget).get("arm", []))


def step(config: dict[str, Any]) -> Progress:
    """The first update of a training on the real images."""
    images, compute = opened(config), choose(config["precision"])
    with compute.settings():
        model = build(config, seed=1, num_classes=images.facts.num_classes)
        end = Budget(steps=2)
        return next(fit(model, images, Recipe.of(config), seed=1, budget=end, compute=compute))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ConvNeXt with two widths for four stages": (
        {
            "name": "convnext_atto", "in_chans": 1, "patch_size": 1, "depths": [1, 1, 1, 1],
            "dims": [16, 32],
        },
        "timm cannot make 'convnext_atto' with .*IndexError: list index out of range",
    ),
    "PiT with heads for one stage of two": (
        {
            "name": "pit_ti_224", "img_size": 8, "patch_size": 2, "stride": 1, "in_chans": 1,
            "base_dims": [16, 16], "depth": [2, 2], "heads": [2],
        },
        "timm cannot make 'pit_ti_224' with .*IndexError",
    ),
    "ResNet with one stage": ({**FAMILIES["ResNet"], "layers": [1]}, "resnet18"),
    "XCiT whose patches do not exist": (
        {**FAMILIES["XCiT"], "img_size": 8, "patch_size": 2, "in_chans": 1}, "xcit_nano_12_p8_224",
    ),
    "a model that does not pool": ({**TINY["model"], "global_pool": ""}, r"\(2, 10\)"),
    "a Mixer with an argument of a ViT": ({**FAMILIES["Mixer"], "class_token": False}, "TypeError"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_model_that_its_library_cannot_make_or_run_is_told_in_a_sentence(what: str) -> None:
    model, words = REFUSED[what]
    sentence = refusal(config_of(model))
    assert re.search(words, sentence), sentence
    assert "\n" not in sentence
    assert len(sentence) < 900


@pytest.mark.slow
@pytest.mark.parametrize("raised", [IndexError("7"), RecursionError("deep"), SystemExit(2)])
def test_any_error_of_a_library_while_it_builds_runs_or_trains_is_about_its_arm(
    raised: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise raised

    for owner, name in (
        (timm, "create_model"),
        (nn.Linear, "forward"),
        (Tensor, "backward"),
        (timm.optim, "create_optimizer_v2"),
        (recipe, "create_scheduler_v2"),
        (torch.optim.AdamW, "step"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, failing)
            sentence = refusal(tiny())
        assert f"{type(raised).__name__}: {raised}" in sentence, name


DROPPED = {"patch_size": 2, "patch_drop_rate": 0.25}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimizer.name": "adahessian"}, "cannot be trained: RuntimeError: element 0 of tensors"),
        (
            {"model": DROPPED, "context": {"operator": "local", "radius": 1}},
            "'local' needs 1 . 4 x 4 tokens, but is given 13",
        ),
        (
            {"model": DROPPED, "context": {"operator": "regions", "grid": 2}},
            "'regions' needs 1 . 4 x 4 tokens, but is given 13",
        ),
    ],
)
def test_what_only_training_meets_is_told_before_it(changes: dict[str, Any], words: str) -> None:
    assert re.search(words, refusal(tiny(changes)))


def test_a_batch_of_one_meets_what_one_image_meets() -> None:
    assert refusal(config_of(FAMILIES["ResNet"], batch_size=64)) == ""
    assert "more than 1 value per channel" in refusal(config_of(FAMILIES["ResNet"], batch_size=1))


@pytest.mark.parametrize(
    ("budget", "warm_up", "refused"),
    [
        (Budget(epochs=2), 2, False),
        (Budget(epochs=2), 2.5, True),
        (Budget(steps=40), 1, False),
        (Budget(steps=10), 1, True),
    ],
)
def test_a_warm_up_that_outlasts_the_budget_is_told_before_any_trial(
    budget: Budget, warm_up: float, refused: bool
) -> None:
    sentence = refusal(tiny({"schedule.warmup_epochs": warm_up}), budget)
    assert ("make the warm-up shorter" in sentence) == refused


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_optimizer_of_timm_is_refused_in_a_sentence_or_takes_a_training_step() -> None:
    """CBABLATE_MATRIX=full takes all of them; else every third, and not Kron, which compiles."""
    names = timm.optim.list_optimizers()
    if os.environ.get("CBABLATE_MATRIX") != "full":
        names = [name for name in names[::3] if not name.startswith("kron")]
        names += ["adahessian", "fusedadam", "lamb", "muon"]
    configs = {name: tiny({"optimizer.name": name}) for name in names}
    refused = verify(configs)
    for name, config in configs.items():
        if name not in refused:
            assert torch.tensor(step(config).loss).isfinite(), name
    assert len(configs) - len(refused) > len(configs) / 2
    assert {"adahessian", "fusedadam"} <= refused.keys()
    for name, (sentence,) in refused.items():
        assert f"cannot make optimizer '{name}'" in sentence or name == "adahessian"


MODES: dict[str, dict[str, Any]] = {
    "mixup": {"augment.mixup": 0.8, "augment.smoothing": 0.1},
    "cutmix": {"augment.cutmix": 1.0},
    "erasing": {"augment.reprob": 0.25, "augment.shift": 1, "augment.hflip": 0.5},
    "average": {"model_ema": True, "model_ema_decay": 0.9},
    "clipping": {"clip_grad": 1.0},
    "bfloat16": {"precision": "bfloat16"},
}
ON_DIGITS = [name for name in FAMILIES if name not in SIDES]
CASES = [
    *((family, [*MODES][index % len(MODES)]) for index, family in enumerate(ON_DIGITS)),
    ("ViT", "+".join(MODES)),
    ("DeiT distilled", "mixup+average+bfloat16"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("family", "modes"), CASES)
def test_what_is_verified_takes_a_training_step_on_the_images(family: str, modes: str) -> None:
    changes = {key: value for mode in modes.split("+") for key, value in MODES[mode].items()}
    config = resolve(apply({**TINY, "model": FAMILIES[family]}, changes))
    assert refusal(config) == ""
    assert torch.tensor(step(config).loss).isfinite()


@pytest.mark.slow
def test_arms_that_differ_in_rates_alone_are_trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []

    def counted(*arguments: Any, **named: Any) -> Any:
        trained.append(1)
        return fit(*arguments, **named)

    monkeypatch.setattr(dry_run, "fit", counted)
    rates = {f"rate {n}": tiny({"optimizer.lr": 1e-3 * n}) for n in range(1, 5)}
    others = {
        "undecayed": tiny({"optimizer.weight_decay": 0.0}),
        "batch": tiny({"batch_size": 32}),
        "depth": tiny({"model.depth": 3}),
    }
    assert verify({**rates, **others}) == {}
    assert len(trained) == 3


def test_one_arm_that_cannot_be_trained_does_not_keep_others_from_being_verified() -> None:
    found = verify({"fine": tiny(), "odd": tiny({"optimizer.name": "adahessian"})})
    assert set(found) == {"odd"}


def test_verification_leaves_the_generators_as_they_were() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state(), random.getstate()
    assert verify({"mixed": tiny(MODES["mixup"])}) == {}
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
