"""A linear classifier of digits as a Hydra application; it writes a line of JSON an epoch."""

import json
from pathlib import Path

import hydra
import numpy as np
from hydra.core.hydra_config import HydraConfig
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    images, labels = load_digits(return_X_y=True)
    images = images / 16
    model = SGDClassifier(
        loss=cfg.loss,
        learning_rate="constant",
        eta0=cfg.optimizer.lr,
        alpha=cfg.optimizer.weight_decay,
        random_state=cfg.seed,
    )
    order = np.random.default_rng(cfg.seed)
    report = Path(HydraConfig.get().runtime.output_dir, "metrics.jsonl")
    for epoch in range(1, cfg.epochs + 1):
        rows = order.permutation(1000)
        model.partial_fit(images[rows], labels[rows], classes=range(10))
        metrics = {
            "epoch": epoch,
            "val/acc": model.score(images[1000:1400], labels[1000:1400]),
            "test/acc": model.score(images[1400:], labels[1400:]),
        }
        with report.open("a") as file:
            file.write(json.dumps(metrics) + "\n")


if __name__ == "__main__":
    main()
