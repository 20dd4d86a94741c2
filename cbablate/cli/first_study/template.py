"""`TRAIN`: the script that `cbablate init` writes where none is named."""

from __future__ import annotations

__all__ = ["TRAIN"]

TRAIN = '''\
"""A training that takes a second: noisy points of a curve, fitted by gradient descent.

Put your own in its place. All that cbablate asks of it: options for what is varied, one for the
seed, and its numbers in `cbablate.report`, which does nothing where the script runs by itself.
"""

import argparse
import math
import random

import cbablate

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.2)
parser.add_argument("--momentum", type=float, default=0.5, choices=[0.0, 0.5, 0.9])
parser.add_argument("--degree", type=int, default=3, help="of the polynomial that is fitted")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

drawn = random.Random(options.seed)


def points(count):
    """Points of the curve, with noise; features are powers of x."""
    for _ in range(count):
        x = drawn.uniform(-1, 1)
        y = math.sin(3 * x) + drawn.gauss(0, 0.1)
        yield [x**power for power in range(options.degree + 1)], y


def loss(data):
    """The mean squared error."""
    return sum((predicted(x) - y) ** 2 for x, y in data) / len(data)


def predicted(x):
    return sum(w * feature for w, feature in zip(weights, x))


train, val, test = (list(points(count)) for count in (100, 100, 200))
weights = [0.0] * (options.degree + 1)
speed = [0.0] * len(weights)
for epoch in range(1, options.epochs + 1):
    for x, y in train:
        error = predicted(x) - y
        for i, feature in enumerate(x):
            speed[i] = options.momentum * speed[i] - 0.1 * options.lr * error * feature
            weights[i] += speed[i]
    cbablate.report({"val/loss": loss(val), "test/loss": loss(test)}, spent=epoch)
print(f"val/loss {loss(val):.4f}")
'''
