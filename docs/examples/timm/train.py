"""Digits with timm, in the shape of its `train.py`: its options, its summary.csv."""

import argparse
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from timm import create_model, utils
from timm.optim import create_optimizer
from timm.scheduler import create_scheduler
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description="Training")
parser.add_argument("--model", default="test_resnet")
parser.add_argument("--model-kwargs", nargs="*", default={}, action=utils.ParseKwargs)
parser.add_argument("-b", "--batch-size", type=int, default=64)
parser.add_argument("--opt", default="adamw")
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--weight-decay", type=float, default=0.05)
parser.add_argument("--lr", type=float, default=2e-3)
parser.add_argument("--sched", default="cosine")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--warmup-epochs", type=int, default=1)
parser.add_argument("--warmup-lr", type=float, default=1e-4)
parser.add_argument("--min-lr", type=float, default=0)
parser.add_argument("--cooldown-epochs", type=int, default=0)
parser.add_argument("--drop-path", type=float, default=0.0)
parser.add_argument("--smoothing", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--output", default="output")
parser.add_argument("--experiment", default="digits")


def main():
    args = parser.parse_args()
    utils.random_seed(args.seed)
    model = create_model(
        args.model, num_classes=10, in_chans=1, drop_path_rate=args.drop_path, **args.model_kwargs
    )
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 8 - 1
    labels = torch.tensor(labels)
    loader_train = DataLoader(
        TensorDataset(images[:1200], labels[:1200]), args.batch_size, shuffle=True
    )
    loader_eval = DataLoader(TensorDataset(images[1200:], labels[1200:]), 1000)
    optimizer = create_optimizer(args, model)
    lr_scheduler, num_epochs = create_scheduler(args, optimizer)
    output_dir = Path(args.output, args.experiment)
    output_dir.mkdir(parents=True, exist_ok=True)
    for epoch in range(num_epochs):
        train_metrics = train_one_epoch(args, model, loader_train, optimizer)
        eval_metrics = validate(model, loader_eval)
        lr_scheduler.step(epoch + 1)
        utils.update_summary(
            epoch, train_metrics, eval_metrics, filename=output_dir / "summary.csv"
        )
        print(f"Train: {epoch} {train_metrics} Test: {eval_metrics}")


def train_one_epoch(args, model, loader, optimizer):
    losses = utils.AverageMeter()
    loss_fn = torch.nn.CrossEntropyLoss(label_smoothing=args.smoothing)
    model.train()
    for inputs, target in loader:
        loss = loss_fn(model(inputs), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.update(loss.item(), inputs.size(0))
    return {"loss": losses.avg}


@torch.no_grad()
def validate(model, loader):
    losses, top1, top5 = utils.AverageMeter(), utils.AverageMeter(), utils.AverageMeter()
    model.eval()
    for inputs, target in loader:
        output = model(inputs)
        acc1, acc5 = utils.accuracy(output, target, topk=(1, 5))
        losses.update(torch.nn.functional.cross_entropy(output, target).item(), inputs.size(0))
        top1.update(acc1.item(), inputs.size(0))
        top5.update(acc5.item(), inputs.size(0))
    return {"loss": losses.avg, "top1": top1.avg, "top5": top5.avg}


if __name__ == "__main__":
    main()
