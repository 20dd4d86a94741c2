"""A small BERT, from random weights, that learns whether a sequence starts higher than it ends."""

import argparse

import torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from cbablate.callbacks.transformers_callback import TransformersCallback


class Sequences(Dataset):
    """Random sequences of 8 tokens; the label says whether the first is greater than the last."""

    def __init__(self, count, seed):
        draw = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(2, 12, (count, 8), generator=draw)
        self.labels = (self.tokens[:, 0] > self.tokens[:, -1]).long()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return {"input_ids": self.tokens[index], "labels": self.labels[index]}


def accuracy(prediction):
    return {"accuracy": (prediction.predictions.argmax(-1) == prediction.label_ids).mean()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--num_attention_heads", type=int, default=4)
    parser.add_argument("--position_embedding", choices=["learned", "none"], default="learned")
    parser.add_argument("--learning_rate", type=float, default=3e-3)
    parser.add_argument("--num_train_epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output_dir", default="out")
    args = parser.parse_args()

    arguments = TrainingArguments(
        output_dir=args.output_dir,
        seed=args.seed,
        num_train_epochs=args.num_train_epochs,
        learning_rate=args.learning_rate,
        per_device_train_batch_size=64,
        per_device_eval_batch_size=512,
        eval_strategy="epoch",
        logging_strategy="epoch",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    torch.manual_seed(args.seed)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=12,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=args.num_attention_heads,
            intermediate_size=64,
            max_position_embeddings=8,
        )
    )
    if args.position_embedding == "none":
        model.bert.embeddings.position_embeddings.weight.data.zero_()
        model.bert.embeddings.position_embeddings.weight.requires_grad_(False)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=Sequences(2000, args.seed + 10),
        eval_dataset=Sequences(1000, 1),
        compute_metrics=accuracy,
        callbacks=[TransformersCallback()],
    )
    trainer.train()
    trainer.evaluate(Sequences(2000, 2), metric_key_prefix="test")


if __name__ == "__main__":
    main()
