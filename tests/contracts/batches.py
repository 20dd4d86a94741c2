"""The contract of `Batches`: the tests of what is held and of what is streamed inherit it."""

from __future__ import annotations

import random

import numpy as np
import torch

from cbablate.data.batches import Batches
from cbablate.planning.evaluation import evaluation_batches

__all__ = ["BatchesContract"]


class BatchesContract:
    """Give `batches`: seven images or more, in at least two classes, no two alike."""

    def batches(self) -> Batches:
        raise NotImplementedError

    def test_an_epoch_is_so_many_full_batches(self) -> None:
        batches = self.batches()
        read = list(batches.epoch(3, count=2, seed=0, epoch=0))
        assert [(len(images), len(labels)) for images, labels in read] == [(3, 3)] * 2

    def test_an_epoch_follows_its_seed_and_number_alone(self) -> None:
        batches = self.batches()
        first = self._labelled(batches, seed=1, epoch=2)
        torch.rand(3), random.random(), np.random.rand()
        assert all(map(torch.equal, self._labelled(batches, seed=1, epoch=2), first))
        for seed, epoch in ((2, 2), (1, 3)):
            other = self._labelled(batches, seed=seed, epoch=epoch)
            assert not torch.equal(other[0], first[0])

    def test_a_batch_is_the_callers_own(self) -> None:
        batches = self.batches()
        for images, labels in batches.epoch(3, count=2, seed=0, epoch=0):
            images.zero_()
            labels.zero_()
        assert all(images.any() for images, _ in batches.epoch(3, count=2, seed=0, epoch=0))
        assert any(labels.any() for _, labels in batches.in_order(100))

    def test_in_order_every_image_comes_once_and_always_in_the_same_order(self) -> None:
        batches = self.batches()
        read = list(batches.in_order(3))
        assert sum(len(labels) for _, labels in read) == len(batches)
        sizes = [len(labels) for _, labels in read]
        assert max(sizes) <= 3
        assert max(sizes) - min(sizes) <= 1, "no image is alone because it is the last"
        images, labels = (torch.cat(parts) for parts in zip(*read, strict=True))
        assert len(torch.unique(images.flatten(1), dim=0)) == len(batches)
        whole, classes = next(iter(batches.in_order(10_000)))
        assert torch.equal(images, whole)
        assert torch.equal(labels, classes)

    def test_what_is_held_is_what_is_evaluated(self) -> None:
        batches = self.batches()
        images, labels = next(iter(batches.in_order(10_000)))
        held = batches.held(len(batches))
        (order,) = evaluation_batches(len(batches), 10_000)
        assert torch.equal(held.images[list(order)], images)
        assert torch.equal(held.labels[list(order)], labels)
        assert images.dtype == torch.float32
        assert labels.dtype == torch.int64

    def test_evaluation_does_not_go_class_by_class(self) -> None:
        """The contract's images are stored in an order that says something of them."""
        batches = self.batches()
        evaluated = torch.cat([images for images, _ in batches.in_order(3)])
        assert not torch.equal(evaluated, batches.held(10_000).images)

    def test_thinned_it_has_images_of_its_own_and_every_class(self) -> None:
        batches = self.batches()
        few = batches.thinned(4)
        assert 4 <= len(few) <= len(batches)
        every = {image.numpy().tobytes() for image in batches.held(10_000).images}
        images, labels = few.held(10_000).pair
        assert {image.numpy().tobytes() for image in images} <= every
        assert len(labels.unique()) == len(batches.held(10_000).labels.unique())

    def test_reading_draws_no_number_of_the_trial(self) -> None:
        batches = self.batches()
        before = torch.default_generator.get_state(), random.getstate(), np.random.get_state()[1]
        list(batches.in_order(3))
        list(batches.epoch(3, count=2, seed=0, epoch=0))
        assert torch.equal(torch.default_generator.get_state(), before[0])
        assert random.getstate() == before[1]
        assert np.array_equal(np.random.get_state()[1], before[2])

    @staticmethod
    def _labelled(batches: Batches, *, seed: int, epoch: int) -> list[torch.Tensor]:
        read = list(batches.epoch(3, count=2, seed=seed, epoch=epoch))
        return [torch.cat(parts) for parts in zip(*read, strict=True)]
