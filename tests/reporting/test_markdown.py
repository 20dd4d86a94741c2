"""Markdown tables."""

from __future__ import annotations

from cbablate.analysis.summary import summarize
from cbablate.reporting.forms.markdown import markdown
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import FROZEN, patchy, placement, told
from tests.reporting import golden


def test_a_table_is_as_a_person_approved_of_it() -> None:
    plan = placement(description=FROZEN)
    table = ablation_table(plan, summarize(plan, told(plan, skip=patchy)))
    golden.check("placement.md", markdown(table))


def test_names_cannot_leave_their_cells() -> None:
    names = (
        "a|b\n| c",
        "<script>alert(1)</script> &lt; -->",
        "[x](javascript:y) ![z](u)",
        "`*_~$#\\",
    )
    plan = placement(names=names, question="-->\n\n# <img src=x>", description=FROZEN)
    text = markdown(ablation_table(plan, summarize(plan, told(plan))))
    assert "<script" not in text
    assert "<img" not in text
    assert "](" not in text.replace(r"\](", "")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 5
    assert {row.replace(r"\|", "").count("|") for row in rows} == {9}
    assert r"&lt;script&gt;alert(1)&lt;/script&gt; &amp;lt; --&gt;" in text
    assert r"\`\*\_\~\$\#\\" in text
    comments = [line for line in text.splitlines() if line.startswith("<!--")]
    assert all(line.count("-->") == 1 and line.endswith("-->") for line in comments)


def test_a_mark_stands_at_its_number() -> None:
    plan = placement(description=FROZEN)
    text = markdown(ablation_table(plan, summarize(plan, told(plan))))
    assert "0.42† " in text
    assert " †" not in "".join(line for line in text.splitlines() if line.startswith("|"))
