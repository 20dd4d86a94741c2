"""A LightningModule that tells two moons apart, and its trainer."""

import argparse

import lightning as L
import torch
from sklearn.datasets import make_moons
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cbablate.callbacks.lightning_callback import LightningCallback


class Classifier(L.LightningModule):
    def __init__(self, width, lr):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 2))

    def training_step(self, batch, index):
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, index):
        self._evaluate("val", batch)

    def test_step(self, batch, index):
        self._evaluate("test", batch)

    def _evaluate(self, split, batch):
        output = self.net(batch[0])
        self.log(f"{split}/loss", nn.functional.cross_entropy(output, batch[1]))
        self.log(f"{split}/acc", (output.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def moons(count, seed):
    points, labels = make_moons(count, noise=0.2, random_state=seed)
    return TensorDataset(torch.tensor(points, dtype=torch.float32), torch.tensor(labels))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--max_epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    L.seed_everything(args.seed)
    trainer = L.Trainer(
        max_epochs=args.max_epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        callbacks=[LightningCallback()],
    )
    model = Classifier(args.width, args.lr)
    train, val, test = moons(500, args.seed), moons(500, 1), moons(2000, 2)
    trainer.fit(model, DataLoader(train, 32, shuffle=True), DataLoader(val, 500))
    trainer.test(model, DataLoader(test, 2000))


if __name__ == "__main__":
    main()
