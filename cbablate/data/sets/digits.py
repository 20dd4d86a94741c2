"""Handwritten digits: 1,797 grey images of 8x8 in 10 classes, shipped inside scikit-learn.

They are the test part of the UCI "Optical Recognition of Handwritten Digits" data (Alpaydin and
Kaynak, 1998): pixels are counts from 0 to 16. No two images are equal. There is no official split
of this part, so `split.stratified` makes ours.
"""

from __future__ import annotations

import numpy as np

from cbablate.data.source import RawData
from cbablate.data.split import stratified
from cbablate.errors import EnvironmentFault

__all__ = ["MEAN", "STD", "read"]

MEAN = 0.3057
"""Mean of pixel / 16 over the training split."""
STD = 0.3765
"""Standard deviation of the same."""


def read() -> RawData:
    """The digits, split.

    Raises:
        EnvironmentFault: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise EnvironmentFault(
            f"data 'digits' lies inside scikit-learn, which cannot be imported ({error}); "
            "install it with: pip install scikit-learn"
        ) from error
    bunch = load_digits()
    images = bunch.images.astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    return RawData(splits=stratified(images, labels), scale=16.0, mean=(MEAN,), std=(STD,))
