"""A small training that goes on from its checkpoint; it knows nothing of cbablate."""

import argparse
import json
import os
import random
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()

kept = Path(os.environ["CBABLATE_CHECKPOINT"], "state")
epoch, loss = 0, 4.0
if kept.exists():
    words = kept.read_text().split()
    epoch, loss = int(words[0]), float(words[1])
while epoch < args.epochs:
    epoch += 1
    loss = loss * (1 - args.lr) + 0.1 * random.Random(args.seed * 1000 + epoch).random()
    half = kept.with_suffix(".new")
    half.write_text(f"{epoch} {loss!r}")
    half.replace(kept)
    with Path(os.environ["CBABLATE_REPORT"]).open("a") as report:
        report.write(json.dumps({"epoch": epoch, "val/loss": loss}) + "\n")
    if "CBABLATE_CHECKPOINT_EVERY" in os.environ:
        time.sleep(0.4)
