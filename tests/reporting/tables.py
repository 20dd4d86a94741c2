"""Tables of every kind that a study can make, by name: for goldens, and to be set by TeX."""

# ruff: noqa: RUF001 - look-alikes are among the names

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cbablate.analysis.outcome import Outcome
from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan, plan
from cbablate.planning.trial import Trial
from cbablate.records.record import Record
from cbablate.reporting.model.table import Table
from cbablate.reporting.tables.arms import ablation_table
from cbablate.reporting.tables.two_way import two_way_table
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import FROZEN, SESSION, Telling, patchy, placement, sizes, told
from tests.reporting.declared import own_facts, own_study

HOSTILE = (
    r"a_b & 50% #1 {x} ~^\ $\alpha",
    r"[1cm] * \input{/etc/passwd}",
    "\"--\" `` '' ,, ??",
    "<b>|",
)
ACCENTS = ("Ünïcödé ß æøå", "Ærøskøbing – “café”", "Škoda, ĝis, ħ", "naïve… l’œuvre")
SYMBOLS = ("λ ≥ ½, α → β", "Δ ± 3×10⁻⁴", "∇xᵢ ∈ ∞", "10 µm² at 20 °C")
FOREIGN = ("中文名称", "emoji 🔥🚀", "עברית مرحبا", "\u202ereversed\u2066 \u200bjoined\u0000")
LONG = tuple(f"{letter}{' name of many words' * 5}"[:100].strip() for letter in "abcd")
ENDLESS = tuple(letter + "0123456789" * 9 + "_" * 9 for letter in "abcd")
NUMBERS = ("1.5", "-3", "1e-4", "0")
ODD = ("[x]", "*", r"\\", "")
Ending = Callable[[Trial, int], str]


def table_of(planned: Plan, facts: list[Record]) -> Table:
    return ablation_table(planned, summarize(planned, facts))


def named(*names: str, **other: Any) -> Table:
    planned = placement(names=[name or "empty" for name in names], description=FROZEN, **other)
    return table_of(planned, told(planned, skip=patchy))


def placed(skip: Ending = lambda _trial, _arm: "", **other: Any) -> Table:
    planned = placement(description=FROZEN, **other)
    return table_of(planned, told(planned, skip=skip))


def drawn(design: str, *levels: int, replicates: int = 3, report: tuple[str, ...] = ()) -> Plan:
    """A study of this design, whose factors have so many levels."""
    factors = tuple(
        Factor(
            name=f"factor {i}",
            levels=(
                Level(name="off"),
                *(Level(name=f"{i} at {j}", changes={f"key{i}": j}) for j in range(1, count)),
            ),
        )
        for i, count in enumerate(levels, 1)
    )
    study = Study(
        name=design,
        question=f"What does {design} say?",
        workload="images",
        baseline={f"key{i}": 0 for i in range(1, len(levels) + 1)},
        factors=factors,
        design=design,  # type: ignore[arg-type]
        budget=Budget(steps=1000),
        replicates=replicates,
        objective=Objective(metric="val/top1", direction="maximize"),
        report=report or ("test/top1", "attention/entropy"),
    )
    return plan(study, FROZEN)


def set_in(table: Table, **how: Any) -> Table:
    """The table as a study has it set that says so under `report`."""
    return replace(table, typesetting=Typesetting(**how))


def crossed(down: Sequence[str], across: Sequence[str], *, contrast: bool = False) -> Table:
    """A factorial of two factors with these levels, one laid across the other."""
    factors = tuple(
        Factor(
            name=name,
            levels=tuple(
                Level(name=level, changes={key: place} if place else {})
                for place, level in enumerate(levels)
            ),
        )
        for name, key, levels in (("width", "key1", down), ("context & %", "key2", across))
    )
    base = drawn("factorial", 2, 2)
    study = base.study.model_copy(
        update={
            "factors": factors,
            "replicates": 7,
            "contrast": "context & %" if contrast else None,
            "report": ("test/top1", "params", "attention/entropy", "throughput/train"),
        }
    )
    planned = plan(study, FROZEN)
    return two_way_table(Outcome(planned, summarize(planned, told(planned, skip=patchy))))


def finished(planned: Plan) -> Table:
    return table_of(planned, told(planned))


def scaled(factor: float, *names: str) -> Table:
    """Metrics that the workload does not describe, of this size."""
    planned = drawn("one_at_a_time", 4, replicates=4, report=names)
    telling = Telling()
    telling.session()
    for number, trial in enumerate(planned.trials):
        value = factor * (1 + number % 7 / 10)
        telling.complete(trial, dict.fromkeys(names, value) | {"val/top1": value})
    return table_of(planned, telling.facts)


def mixed(**look: Any) -> Table:
    """Trials of two commits, one of them edited, on two machines."""
    planned = placement(description=FROZEN, replicates=6)
    typesetting = {"typesetting": Typesetting(**look)}
    planned = replace(planned, study=planned.study.model_copy(update=typesetting))
    telling = Telling()
    telling.session("one")
    versions: Mapping[str, Any] = {**SESSION.versions, "torch": "2.16.0"}  # type: ignore[dict-item]
    telling.session("two", commit="f" * 40, dirty=True, versions=versions)
    for number, trial in enumerate(planned.trials):
        session = "one" if trial.replicate < 3 else "two"
        score = 90.0 + number * 7 % 5
        telling.complete(trial, {"test/top1": score, "params": 5.0}, session=session)
    for place, arm in enumerate(planned.arms):
        telling.time(arm.id, [100.0 + place], batch=f"stage {place % 2}", device=f"GPU {place % 2}")
    return table_of(planned, telling.facts)


def nobody(trial: Trial, arm: int) -> str:
    return "diverged"


def no_baseline(trial: Trial, arm: int) -> str:
    return "" if arm else "error"


def no_arm(trial: Trial, arm: int) -> str:
    return "pruned" if arm == 2 else ""


def on_the_way(trial: Trial, arm: int) -> str:
    return {2: "running", 3: "waiting", 4: "waiting", 5: "waiting"}.get(trial.replicate, "")


def declared() -> Table:
    """A training of one's own, whose metrics are declared."""
    planned = own_study()
    return table_of(planned, own_facts(planned))


TABLES: Mapping[str, Callable[[], Table]] = {
    "declared": declared,
    "whole": placed,
    "patchy": lambda: placed(patchy),
    "nothing-run": lambda: table_of(placement(description=FROZEN), []),
    "under-way": lambda: placed(on_the_way),
    "all-diverged": lambda: placed(nobody),
    "no-baseline": lambda: placed(no_baseline),
    "an-arm-pruned": lambda: placed(no_arm),
    "one-replicate": lambda: placed(replicates=1),
    "two-replicates": lambda: placed(replicates=2),
    "thirty-replicates": lambda: placed(replicates=30),
    "narrow-margin": lambda: placed(margin=0.01),
    "wide-margin": lambda: placed(margin=2.5),
    "timings-only": lambda: placed(report=("throughput/train",)),
    "one-metric": lambda: placed(report=("test/top1",)),
    "no-direction-first": lambda: placed(report=("attention/entropy", "test/top1")),
    "constant-first": lambda: placed(report=("params", "test/top1")),
    "objective-reported": lambda: placed(report=("val/top1", "test/top1")),
    "mixed": mixed,
    "factorial-contrast": lambda: finished(sizes(description=FROZEN)),
    "factorial-plain": lambda: finished(sizes(contrast=None, description=FROZEN)),
    "factorial-contrast-first": lambda: finished(sizes(contrast_first=True, description=FROZEN)),
    "factorial-three-by-four": lambda: finished(drawn("factorial", 3, 4)),
    "leave-one-out": lambda: finished(drawn("leave_one_out", 2, 2, 2, 2)),
    "cumulative": lambda: finished(drawn("cumulative", 2, 2, 2, 2)),
    "alone": lambda: finished(drawn("one_at_a_time")),
    "hundred-rows": lambda: finished(drawn("one_at_a_time", 100)),
    "hostile-names": lambda: named(*HOSTILE),
    "hostile-question": lambda: placed(
        question="Is 100% of $x_1$ \\write18{id}\n\n\\end{document} % more & more?"
    ),
    "hostile-factor": lambda: placed(factor="% of ^^M & {#}"),
    "accents": lambda: named(*ACCENTS),
    "symbols": lambda: named(*SYMBOLS),
    "foreign": lambda: named(*FOREIGN),
    "long-names": lambda: named(*LONG),
    "endless-names": lambda: named(*ENDLESS),
    "names-like-numbers": lambda: named(*NUMBERS),
    "odd-names": lambda: named(*ODD),
    "tiny-values": lambda: scaled(3.7e-9, "test/loss"),
    "huge-values": lambda: scaled(-4.2e17, "test/flops", "test/loss"),
    "negative-values": lambda: scaled(-0.31, "test/reward"),
    "neurips": lambda: set_in(placed(replicates=9), style="neurips"),
    "icml-column": lambda: set_in(placed(report=("test/top1",)), style="icml"),
    "icml-page": lambda: set_in(placed(patchy, replicates=9), style="icml"),
    "cvpr-caption": lambda: set_in(
        placed(margin=0.5), style="cvpr", caption=f"{HOSTILE[0]} {FOREIGN[0]}", label="tab:own_1"
    ),
    "landscape": lambda: set_in(named(*LONG), style="neurips", orientation="landscape"),
    "landscape-icml": lambda: set_in(named(*HOSTILE), style="icml", orientation="landscape"),
    "landscape-long": lambda: set_in(
        finished(drawn("one_at_a_time", 45)), orientation="landscape", long=True
    ),
    "long-cvpr": lambda: set_in(finished(drawn("one_at_a_time", 60)), style="cvpr", long=True),
    "long-never": lambda: set_in(finished(drawn("one_at_a_time", 60)), long=False),
    "parts": lambda: set_in(
        scaled(-4.2e5, *(f"test/loss {place}" for place in range(32))),
        style="icml",
        orientation="portrait",
    ),
    "panels": lambda: scaled(
        70.0, "test/score", *(f"test/raw_metric_name/with_{i}_slashes" for i in range(7))
    ),
    "factorial-neurips": lambda: set_in(
        finished(sizes(contrast=None, description=FROZEN)), style="neurips"
    ),
    "two-way": lambda: crossed(("48", "96", "192"), ("none", "CB", "CB scaled")),
    "two-way-contrast": lambda: set_in(
        crossed(("48", "96"), ("none", "CB"), contrast=True), style="icml"
    ),
    "two-way-hostile": lambda: set_in(crossed(HOSTILE[:2], FOREIGN[:3]), style="neurips"),
    "two-way-endless": lambda: set_in(crossed(LONG[:2], ENDLESS[:3]), style="cvpr"),
}
