"""`data_frame`: rows as a data frame of pandas, which is asked for by an extra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cbablate.errors import EnvironmentFault

if TYPE_CHECKING:
    from pandas import DataFrame

    from cbablate.reporting.model.sheet import Value

__all__ = ["data_frame"]


def data_frame(header: Sequence[str], rows: Sequence[Sequence[Value]]) -> DataFrame:
    """The rows, a column for each word of the header; numbers as they are, nothing rounded.

    Raises:
        EnvironmentFault: pandas is not installed.
    """
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise EnvironmentFault(
            f"a data frame needs pandas, which cannot be imported ({error}). Install it with "
            "`pip install pandas`, or take the rows as they are."
        ) from error
    return DataFrame([[*row] for row in rows], columns=[*header])
