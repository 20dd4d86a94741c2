"""What the probes of attention cost, beside a plain forward pass over the same images.

    python benchmarks/probes.py [--images N] [--rounds N] [--model NAME]

One thread; in every round each way sees all images, in turns, in batches of the same size, and the
processor time of this process is taken, which other load on the machine disturbs least. Prints a
Markdown table of medians over rounds with ranges; the ratios are those of each round.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import timm
import torch

from cbablate.probes import attention, attention_rows
from cbablate.probes.attention import attention_entropy
from cbablate.probes.probe import Held, Subject

BATCH = 64
PROBES = {
    "`entropy`": ("entropy",),
    "`distance`": ("distance",),
    "`jacobian`": ("jacobian",),
    "all of attention": ("entropy", "distance", "jacobian", "share"),
}


def main() -> None:
    """Time everything in turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="deit_tiny_patch16_224")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    attention._BATCH = BATCH
    model = timm.create_model(asked.model).eval()
    for block in model.blocks:  # rows that differ: the spectral norm iterates more on them
        torch.nn.init.normal_(block.attn.qkv.weight, std=0.08)
    images = torch.randn(asked.images, *model.default_cfg["input_size"])
    held = Held(images, torch.zeros(asked.images, dtype=torch.int64))
    subject = Subject(model, held, held, held)

    def forward() -> None:
        with torch.inference_mode():
            for some, _ in held.batches(BATCH):
                model(some)

    ways: dict[str, Callable[[], object]] = {
        "plain forward pass": forward,
        "mean entropy, in every trial": lambda: attention_entropy(model, images),
    }
    for label, names in PROBES.items():
        ways[label] = lambda names=names: attention_rows.measure(subject, frozenset(names))
    taken: dict[str, list[float]] = {label: [] for label in ways}
    for turn in range(asked.rounds + 1):
        for label, way in ways.items():
            began = time.process_time()
            way()
            if turn:  # the first round warms up
                taken[label].append(time.process_time() - began)
    plain = taken["plain forward pass"]
    versions = ", ".join(f"{name} {version(name)}" for name in ("cbablate", "torch", "timm"))
    print(f"Python {platform.python_version()}, {versions}; {asked.model}, {asked.images} images")
    print(f"at a time {BATCH}, one thread, n = {asked.rounds} rounds\n")
    print("| over the images | ms an image | times a plain pass, median (range) |\n|---|---:|---:|")
    for label, times in taken.items():
        ratios = [one / base for one, base in zip(times, plain, strict=True)]
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        each = 1000 * statistics.median(times) / asked.images
        print(f"| {label} | {each:.1f} | {middle:.2f} ({low:.2f}-{high:.2f}) |")


if __name__ == "__main__":
    main()
