from __future__ import annotations

from itertools import pairwise

import pytest

from cbablate.planning.evaluation import evaluation_batches


@pytest.mark.parametrize(
    ("count", "most"), [(0, 4), (1, 4), (4, 4), (5, 4), (513, 512), (1078, 512)]
)
def test_every_image_comes_once_and_no_batch_is_much_smaller_than_another(
    count: int, most: int
) -> None:
    batches = evaluation_batches(count, most)
    assert sorted(image for batch in batches for image in batch) == list(range(count))
    sizes = {len(batch) for batch in batches}
    assert not sizes or (min(sizes) > 0 and max(sizes) <= most and max(sizes) - min(sizes) <= 1)
    assert len(batches) == -(-count // most)


def test_the_order_is_fixed_for_ever() -> None:
    """Another order is another evaluation, of operators that look across the batch."""
    assert evaluation_batches(10, 4) == ((1, 2, 3), (4, 0, 8), (9, 7, 5, 6))


@pytest.mark.parametrize("most", [64, 256, 512])
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_the_order_says_nothing_of_the_class_of_images_stored_by_class(
    classes: int, most: int
) -> None:
    count = 10_000
    labels = [image * classes // count for image in range(count)]
    batches = evaluation_batches(count, most)
    pairs = [(a, b) for batch in batches for a, b in pairwise(batch)]
    alike = sum(labels[a] == labels[b] for a, b in pairs) / len(pairs)
    assert alike == pytest.approx(1 / classes, abs=4 * (0.25 / len(pairs)) ** 0.5)
    for batch in batches:
        first = sum(labels[image] < classes // 2 for image in batch) / len(batch)
        assert first == pytest.approx(0.5, abs=4.5 * (0.25 / most) ** 0.5)
