"""Gradient descent on x^2 with noisy gradients."""

import random

from pull import step

from cbablate.records.measurement import Measurement


def train(config, *, seed, budget, workdir):
    noise = random.Random(seed)
    x = 10.0
    for epoch in range(1, budget.amount + 1):
        x = step(x, config["lr"], noise.gauss(0, config["noise"]))
        yield Measurement(spent=epoch, metrics={"val/loss": x * x, "test/loss": 2 * x * x})
