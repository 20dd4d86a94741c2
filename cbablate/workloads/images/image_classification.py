"""`image_classification`: a timm model, with context placed in it or not, learns to name images."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from cbablate.data.batches import Batch, Batches
from cbablate.data.images import Images, opened
from cbablate.data.sets.download import fetched
from cbablate.fingerprint import fingerprint
from cbablate.models import verification
from cbablate.models.anatomy import blocks_of
from cbablate.models.building import build
from cbablate.models.operators.catalog import OPERATORS
from cbablate.probes import gradient, measuring
from cbablate.probes.accuracy import BATCH, Score, score_batches
from cbablate.probes.attention.attention import attention_entropy
from cbablate.probes.expense import parameters
from cbablate.probes.expense.throughput import rates
from cbablate.probes.probe import Absent, Held, ProbeResult, Subject
from cbablate.probes.robustness.curve import joined
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.training.compute import Compute, alone, choose
from cbablate.training.loop import Progress, Update, fit
from cbablate.training.recipe import Recipe
from cbablate.training.snapshot import Unusable, read_state, write_state
from cbablate.workloads.checkpoint import NOTE, Checkpoint
from cbablate.workloads.images import dry_run
from cbablate.workloads.images.image_config import identity as content
from cbablate.workloads.images.image_config import open_ended

__all__ = ["observe", "run", "subject_of", "throughput", "verify"]

Config = Mapping[str, Any]
_MANY = 1_000_000_000
"""Updates for a schedule whose end is never reached."""


def run(
    config: Config,
    *,
    seed: int,
    budget: Budget,
    workdir: Path,
) -> Generator[Measurement, None, None]:
    """Train a resolved config; one measurement an epoch, by the metrics of `image_metrics`.

    Each has the training loss and the validation scores; the last one also the test scores, the
    training accuracy, the parameters, the attention entropy on validation images, and what the
    config's `probes` ask for. On a CPU the numbers are a function of config, seed and budget, bit
    for bit, and however often the training was cut short: it goes on from the checkpoint in
    `workdir`, if there is one of the same config, seed, budget and numerics.

    Raises:
        StudyError: the model, the optimizer or the schedule cannot be made.
        EnvironmentFault: the data or the precision asked for are not to be had.
        TrialFailure: the training diverged, or the device ran out of memory.
    """
    compute = choose(config["precision"])
    return alone(_trained(config, seed, budget, compute, Checkpoint(workdir)), compute)


def verify(configs: Mapping[str, Config], *, budget: Budget | None = None) -> dict[str, list[str]]:
    """Sentences about what is wrong, by arm name, from resolved configs by arm name.

    Models are examined, then trained for one update and evaluated (`dry_run`). Data that are not
    on this machine are fetched, where they can be. With the trials' `budget`, the schedule must
    fit it.

    Raises:
        EnvironmentFault: the data or the precision asked for are not to be had.
    """
    for name in {config["data"]["name"] for config in configs.values()}:
        fetched(name)  # once, before trials that run side by side all miss it
    amiss = dry_run.recipe_faults(configs, budget=budget)
    found = verification.verify(configs, dry_run.shape_of, then=dry_run.DryRun(amiss))
    lonely = {name: [text] for name, config in configs.items() if (text := _lonely(config))}
    faults = (found, amiss, lonely)
    return {
        name: [text for each in faults for text in each.get(name, ())]
        for name in configs
        if any(name in each for each in faults)
    }


def observe(configs: Mapping[str, Config]) -> dict[str, list[str]]:
    """Sentences about what a person should know, by arm name: what an arm adds, and its kin."""
    return verification.examine(configs, dry_run.shape_of).notes


def throughput(configs: Mapping[str, Config], *, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Images a second in training and inference, one value a round, by arm id.

    `throughput/train` is a whole update, augmentation included; `throughput/infer` a forward
    pass without gradients; both on one batch of the config's `batch_size`, already on the device,
    in the config's precision. The arms take turns in every round.
    """
    found: dict[str, dict[str, list[float]]] = {arm: {} for arm in configs}
    for mode, stepping in (("train", _update), ("infer", _inference)):
        with torch.random.fork_rng():
            compute = {arm: choose(config["precision"]) for arm, config in configs.items()}
            any_of_them = next(iter(compute.values()), choose())
            with any_of_them.settings():
                steps = {arm: stepping(config, compute[arm]) for arm, config in configs.items()}
                calls = rates(steps, rounds=rounds, synchronize=any_of_them.synchronize)
        for arm, values in calls.items():
            batch = configs[arm]["batch_size"]
            found[arm][f"throughput/{mode}"] = [batch * value for value in values]
    return found


def _lonely(config: Config) -> str | None:
    """Why an operator that looks across the batch would be shown the image itself in training."""
    placed = [OPERATORS[placement["operator"]] for placement in config["context"]]
    across = [one.name for one in placed if one.across]
    if across and config["batch_size"] == 1:
        return (
            f"operator '{across[0]}' takes its context from the other images of a batch, and "
            "batch_size is 1, so it would take the image's own: write a larger batch_size"
        )
    repeats = config["augment"].get("repeats", 1)
    beside = [one.name for one in placed if one.across == "neighbour"]
    if beside and repeats > 1:
        others = (f"'{one.name}'" for one in OPERATORS.values() if one.across == "batch")
        return (
            f"operator '{beside[0]}' takes its context from the image before in the batch, and "
            f"with augment.repeats: {repeats} that mostly is the same image: delete repeats, or "
            f"use operator {' or '.join(others)}"
        )
    return None


def _trained(
    config: Config, seed: int, budget: Budget, compute: Compute, checkpoint: Checkpoint
) -> Generator[Measurement, None, None]:
    began = time.perf_counter()
    about = _about(config, seed, budget, compute)
    since, before, unused = _since(checkpoint, about)
    began -= before
    images = opened(config, compute.device)
    model = build(config, seed=seed, num_classes=images.facts.num_classes).to(compute.device)
    blocks = [block for _, block in blocks_of(model)]
    watched = "gradient" in config.get("probes", ()) and bool(blocks)
    stream = fit(
        model,
        images,
        Recipe.of(config),
        seed=seed,
        budget=budget,
        compute=compute,
        since=since,
        observe=(lambda: gradient.norms(blocks)) if watched else None,
    )
    for number, progress in enumerate(stream):
        evaluated = progress.model
        held_out = _scored(evaluated, images.val, compute)
        metrics = _curve(progress, held_out)
        found = ProbeResult()
        last = progress.spent == budget.amount
        if last:
            found = _final(evaluated, images, compute)
            if config.get("probes"):
                subject = subject_of(config, evaluated, images, compute, seed, progress.observed)
                found = joined((found, measuring.measure(subject, config["probes"])))
        seconds = time.perf_counter() - began
        if checkpoint.asked and open_ended(config, budget) if last else checkpoint.due:
            with checkpoint.written() as folder:
                write_state(folder, {**progress.state(), "seconds": seconds}, about=about)
        yield Measurement(
            spent=progress.spent,
            metrics={**metrics, **found.metrics, "seconds": seconds},
            vectors=found.vectors,
            sketches={name: sketch.packed for name, sketch in found.sketches.items()},
            seconds=seconds,
            notes=_notes(compute, images) | _absences(found) | unused
            if last or number == 0
            else {},
        )


def _about(config: Config, seed: int, budget: Budget, compute: Compute) -> dict[str, Any]:
    """Whose a checkpoint is, and what its bits depend on beside."""
    end = "open" if open_ended(config, budget) else f"{budget.amount} {budget.unit}"
    return {
        "config": fingerprint(content(config)),
        "seed": seed,
        "budget": end,
        "device": compute.device.type,
        "precision": compute.precision,
        "torch": _minor(torch.__version__),
        "timm": _minor(timm.__version__),
    }


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _since(
    checkpoint: Checkpoint, about: Config
) -> tuple[dict[str, Any] | None, float, dict[str, str]]:
    """The state to go on from, the seconds that led to it, and a note if there is one unused."""
    if checkpoint.found is None:
        return None, 0.0, {}
    try:
        state = read_state(checkpoint.found, about=about)
    except Unusable as error:
        return None, 0.0, {NOTE: f"started again, the checkpoint was not used: {error}"}
    return state, float(state["seconds"]), {}


def _curve(progress: Progress, held_out: Score) -> dict[str, float]:
    metrics = {
        "train/loss": progress.loss,
        "val/top1": held_out.top1,
        "val/loss": held_out.loss,
        "images_per_second": progress.images / progress.seconds,
    }
    if progress.observed:
        metrics["gradient/norm"] = sum(progress.observed) / len(progress.observed)
    return metrics


def _final(model: nn.Module, images: Images, compute: Compute) -> ProbeResult:
    """What is measured once, of the trained model: metrics, and values by layer."""
    test = _scored(model, images.test, compute)
    train = _scored(model, images.fitted, compute)
    metrics = {
        "test/top1": test.top1,
        "test/loss": test.loss,
        "train/top1": train.top1,
        "params": float(parameters.count(model)),
    }
    entropy = attention_entropy(model, images.probed.images)
    if isinstance(entropy, Absent):
        names = ("attention/entropy", "attention/entropy_normalized")
        return ProbeResult(metrics, absent=dict.fromkeys(names, entropy))
    metrics["attention/entropy"] = entropy.mean
    vectors = {"attention/entropy": entropy.per_layer}
    normalized = entropy.normalized
    if isinstance(normalized, Absent):
        return ProbeResult(metrics, vectors, absent={"attention/entropy_normalized": normalized})
    metrics["attention/entropy_normalized"] = normalized
    return ProbeResult(metrics, vectors)


def subject_of(
    config: Config,
    model: nn.Module,
    images: Images,
    compute: Compute,
    seed: int,
    gradients: tuple[float, ...],
) -> Subject:
    """The trained model with the images that probes may look at."""
    return Subject(
        model=model,
        held_out=Held(*images.probed.pair),
        test=_Evaluated(images.test),
        train=_Evaluated(images.train),
        blocks=tuple(block for _, block in blocks_of(model)),
        initial=lambda: build(config, seed=seed, num_classes=images.facts.num_classes),
        batch_size=config["batch_size"],
        autocast=compute.autocast,
        seed=seed,
        gradients=gradients,
    )


@dataclass(frozen=True)
class _Evaluated:
    """A split as probes look at it: as it is evaluated, held or streamed."""

    split: Batches

    def __len__(self) -> int:
        return len(self.split)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images, `size` at a time."""
        return self.split.in_order(size)

    def spaced(self, count: int) -> tuple[Tensor, Tensor]:
        """At most `count` images, evenly spaced."""
        return Held(*self.split.held(count).pair).spaced(count)


def _absences(found: ProbeResult) -> dict[str, str]:
    """Why a metric has no value, as notes."""
    return {f"absent.{name}": absent.reason for name, absent in found.absent.items()}


def _scored(model: nn.Module, split: Batches, compute: Compute) -> Score:
    return score_batches(model, split.in_order(BATCH), autocast=compute.autocast)


def _notes(compute: Compute, images: Images) -> dict[str, str]:
    common = {f"images of {name} in train": str(n) for name, n in images.overlap.items() if n}
    return {
        **common,
        "device": compute.name,
        "precision": compute.precision,
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
        "timm": timm.__version__,
    }


def _update(config: Config, compute: Compute) -> Callable[[], object]:
    """One update of a fresh model on a fixed batch."""
    images = opened(config, compute.device)
    model = build(config, seed=0, num_classes=images.facts.num_classes).to(compute.device).train()
    update = Update(model, images, Recipe.of(config), seed=0, steps=_MANY, compute=compute)
    batch, labels = _sample(images, config["batch_size"])
    return lambda: update(batch.clone(), labels)


def _sample(images: Images, batch: int) -> Batch:
    """One batch of training images, as evaluated; images come again where there are too few."""
    part = images.train.held(batch)
    index = torch.arange(batch, device=part.labels.device) % len(part)
    return part.images[index], part.labels[index]


def _inference(config: Config, compute: Compute) -> Callable[[], object]:
    """One forward pass of a fresh model on a fixed batch."""
    images = opened(config, compute.device)
    model = build(config, seed=0, num_classes=images.facts.num_classes).to(compute.device).eval()
    batch, _ = _sample(images, config["batch_size"])

    def forward() -> object:
        with torch.inference_mode(), compute.autocast():
            return model(batch)

    return forward
