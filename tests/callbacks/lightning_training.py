"""A line that Lightning trains, with dropout and a schedule."""

import logging

import lightning.pytorch as L  # noqa: N812
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cbablate.callbacks.lightning_callback import LightningCallback

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Line(L.LightningModule):
    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Dropout(), nn.Linear(8, 1))

    def training_step(self, batch, index):
        loss = self.net(batch[0]).square().mean()
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, index):
        self.log("val/loss", self.net(batch[0]).square().mean())

    def test_step(self, batch, index):
        self.log("test/loss", self.net(batch[0]).square().mean())

    def on_fit_end(self):
        print("fitted")

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=0.1)
        if self.schedule == "by hand":
            return optimizer
        if self.schedule == "plateau":
            lower = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=9)
            schedule = {"scheduler": lower, "monitor": "val/loss"}
            return {"optimizer": optimizer, "lr_scheduler": schedule}
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]

    def on_train_epoch_end(self):
        self.log("late", float(self.current_epoch))
        if self.schedule == "by hand":
            self.log("noise", torch.rand(()))
            self.optimizers().param_groups[0]["lr"] *= 0.5


def train(config, seed, budget):
    L.seed_everything(seed, verbose=False)
    batches = DataLoader(TensorDataset(torch.randn(64, 2)), batch_size=16, shuffle=True)
    model, callback = Line(config.get("schedule")), LightningCallback()
    trainer = L.Trainer(
        **{"max_" + budget.unit: budget.amount},
        callbacks=[callback],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **({"val_check_interval": 2} if budget.unit == "steps" else {}),
        **{name: value for name, value in config.items() if name != "schedule"},
    )
    trainer.fit(model, batches, batches, ckpt_path=callback.resume_from)
    trainer.test(model, batches, verbose=False)
