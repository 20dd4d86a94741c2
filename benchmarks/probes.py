"""What the probes of attention cost, beside a plain forward pass over the same images.

    python -m benchmarks probes [--images N] [--part N] [--model NAME]

One thread. The images come in parts; over each part every way goes once, in turns and in batches of
the same size, so that a change of the machine's speed meets all of them. Processor time of this
process is taken, which other load disturbs least. Prints a Markdown table of sums over all images;
the ratios' ranges are over the parts.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from importlib.metadata import version

import timm
import torch

from cbablate.probes.attention import attention, attention_rows
from cbablate.probes.attention.attention import attention_entropy
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
    parser.add_argument("--images", type=int, default=640, help="over how many images in all")
    parser.add_argument("--part", type=int, default=128, help="how many of them in a turn")
    parser.add_argument("--model", default="deit_tiny_patch16_224")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    attention._BATCH = BATCH
    model = timm.create_model(asked.model).eval()
    for block in model.blocks:  # rows that differ: the spectral norm iterates more on them
        torch.nn.init.normal_(block.attn.qkv.weight, std=0.08)
    size = model.default_cfg["input_size"]
    for way in ways_over(model, torch.randn(BATCH, *size)).values():
        way()  # warms up
    taken: dict[str, list[float]] = {}
    for start in range(0, asked.images, asked.part):
        images = torch.randn(min(asked.part, asked.images - start), *size)
        for label, way in ways_over(model, images).items():
            began = time.process_time()
            way()
            taken.setdefault(label, []).append(time.process_time() - began)
    plain = taken["plain forward pass"]
    versions = ", ".join(f"{name} {version(name)}" for name in ("cbablate", "torch", "timm"))
    print(f"Python {platform.python_version()}, {versions}; {asked.model}, {asked.images} images")
    print(f"at a time {BATCH}, one thread, in {len(plain)} parts\n")
    print(
        "| over the images | ms an image | times a plain pass (range over parts) |\n|---|---:|---:|"
    )
    for label, times in taken.items():
        ratios = [one / base for one, base in zip(times, plain, strict=True)]
        whole, each = sum(times) / sum(plain), 1000 * sum(times) / asked.images
        print(f"| {label} | {each:.1f} | {whole:.2f} ({min(ratios):.2f}-{max(ratios):.2f}) |")


def ways_over(model: torch.nn.Module, images: torch.Tensor) -> dict[str, Callable[[], object]]:
    """Each way to go once over `images`, by the name of its row."""
    held = Held(images, torch.zeros(len(images), dtype=torch.int64))
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
    return ways


if __name__ == "__main__":
    main()
