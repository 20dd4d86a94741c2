"""Forms of a table by name."""

from __future__ import annotations

import pytest

from cbablate.analysis.summary import summarize
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import placement, told


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_is_a_pure_function_of_the_table(form: str) -> None:
    plan = placement()
    table = ablation_table(plan, summarize(plan, told(plan)))
    assert render(table, form) == render(table, form)
    assert render(table, form).endswith("\n")
    assert "MLP middle" in render(table, form)


def test_an_unknown_form_is_named_with_those_there_are() -> None:
    plan = placement()
    table = ablation_table(plan, summarize(plan, []))
    with pytest.raises(LookupError, match="there is no form 'word' of a table; there"):
        render(table, "word")
