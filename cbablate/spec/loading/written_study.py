"""`WrittenStudy`: a study as its file says it, where one key may hold what a `Study` has apart."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from cbablate.spec.study import Study
from cbablate.spec.typesetting import Report, Typesetting

__all__ = ["WrittenStudy"]


class WrittenStudy(Study):
    """A study whose `report` is a list of metrics, or a mapping that says how they are set too."""

    model_config = ConfigDict(title="Study")

    report: Annotated[tuple[str, ...], Field(min_length=1)] | Report  # type: ignore[assignment]  # a file says in one key what a study has in two

    def read(self) -> Study:
        """The study that is meant."""
        said = {name: getattr(self, name) for name in Study.model_fields}
        if isinstance(self.report, Report):
            look = {name: getattr(self.report, name) for name in Typesetting.model_fields}
            said |= {"report": self.report.metrics, "typesetting": Typesetting(**look)}
        return Study(**said)
