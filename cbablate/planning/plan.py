"""`Plan`: every arm and trial of a study, in the order they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from cbablate.errors import StudyError
from cbablate.phrases import counted
from cbablate.planning import design
from cbablate.planning.analysis_rules import analysis_faults, idle_faults
from cbablate.planning.arm import Arm, arm_id
from cbablate.planning.sequential_rules import growing_faults
from cbablate.planning.trial import Trial, trial_of
from cbablate.planning.tuning_rules import tune_faults
from cbablate.shown import Shown
from cbablate.spec.description import Description
from cbablate.spec.design import DESIGNS
from cbablate.spec.factor import Level
from cbablate.spec.fault import Fault, Path, dotted
from cbablate.spec.loading.changes import apply
from cbablate.spec.loading.validation import Wording, complaints, problems
from cbablate.spec.study import Study

__all__ = ["MAX_ARMS", "Plan", "plan"]

MAX_ARMS = 10_000
MAX_FACTORS = 500


@dataclass(frozen=True)
class Plan(Shown):
    """What a study will run. Trials are replicate-major: all arms of the first replicate, then
    all of the second, so that a study that is cut short still compares like with like. Where the
    number of replicates grows, these are all that may come; `analysis.course.asked` has those that
    are asked for.

    `searches` is how many searches of each arm its trials' hyperparameters come from: 0 of a plan
    as written. Replicate r is then at what search r modulo that number chose.
    """

    study: Study
    description: Description
    arms: tuple[Arm, ...]
    trials: tuple[Trial, ...]
    searches: int = 0

    def __repr__(self) -> str:
        arms, trials = counted(len(self.arms), "arm"), counted(len(self.trials), "trial")
        return f"<Plan {self.study.name}: {arms}, {trials} of {self.study.budget}>"

    @cached_property
    def arm_of(self) -> Mapping[str, Arm]:
        """Arms by id."""
        return {arm.id: arm for arm in self.arms}

    def label(self, trial: Trial) -> str:
        """What a person calls a trial: its arm's name and its replicate, counted from 0."""
        return f"{self.arm_of[trial.arm].name} #{trial.replicate}"

    @cached_property
    def trial_of(self) -> Mapping[str, Trial]:
        """Trials by id."""
        return {trial.id: trial for trial in self.trials}


def plan(study: Study, description: Description) -> Plan:
    """The plan of a study whose workload is so described.

    Raises:
        StudyError: an arm's config is not valid, two arms are the same, a level does not change
            what it must, the design cannot be laid over the factors, or the arms cannot be tuned
            as the sweep says. All faults at once.
    """
    tuned = study.tune.objectives or () if study.tune else ()
    decides = (study.objective, *tuned)
    description = description.in_study(study.metrics, objectives=decides, report=study.report)
    faults = [*_shape_faults(study), *growing_faults(study, description)]
    faults += _baseline_faults(study, description)
    if faults:
        raise StudyError.of(faults)
    drawn, faults = _arms(study, description)
    faults += _report_faults(study, description, [arm for _, arm in drawn])
    idle = _level_faults(study, description)
    told = {fault.path for fault in idle}
    faults += idle + _twin_faults([each for each in drawn if not told & {*_levels(each[0])}])
    if faults:
        raise StudyError.of([*dict.fromkeys(faults)])
    arms = _compared(study, drawn)
    faults = [*tune_faults(study, description, arms), *idle_faults(study, arms)]
    if faults:
        raise StudyError.of(faults)
    trials = tuple(
        trial_of(arm, replicate, seed=study.seed, budget=study.budget)
        for replicate in range(study.most_replicates)
        for arm in arms
    )
    return Plan(study=study, description=description, arms=arms, trials=trials)


def _shape_faults(study: Study) -> list[Fault]:
    sizes = [len(factor.levels) for factor in study.factors]
    faults: list[Fault] = []
    if len(sizes) > MAX_FACTORS:
        sentence = f"{len(sizes):,} factors; at most {MAX_FACTORS} can be planned"
        return [Fault(("factors",), sentence)]
    count = design.count(study.design, sizes)
    if count > MAX_ARMS:
        product = " x ".join(str(size) for size in sizes)
        faults.append(
            Fault(
                ("design",),
                f"{study.design} over {product} levels makes {count:,} arms; "
                f"at most {MAX_ARMS:,} can be planned",
            )
        )
    if study.contrast is not None:
        names = [factor.name for factor in study.factors]
        if study.design != "factorial":
            faults.append(
                Fault(
                    ("contrast",),
                    "a contrast within the combinations of the other factors needs "
                    f"design: factorial, not {study.design}",
                )
            )
        elif study.contrast not in names:
            listed = ", ".join(names) or "none"
            faults.append(
                Fault(("contrast",), f"this study has no factor '{study.contrast}' ({listed})")
            )
    faults += [*analysis_faults(study), *_layout_faults(study)]
    if DESIGNS[study.design].switching:
        faults += [
            Fault(
                ("factors", index, "levels"),
                f"{study.design} switches factors on and off: '{factor.name}' needs exactly two "
                f"levels, not {len(factor.levels)}",
            )
            for index, factor in enumerate(study.factors)
            if len(factor.levels) != 2
        ]
    return faults


def _layout_faults(study: Study) -> list[Fault]:
    """A layout that this design cannot fill."""
    if study.typesetting.layout != "two_way":
        return []
    if study.design == "factorial" and len(study.factors) == 2:
        return []
    many = len(study.factors)
    found = f"{study.design} with {counted(many, 'factor')}"
    sentence = (
        f"two_way lays two factors across each other: it needs design: factorial, not {found}"
    )
    if study.design == "factorial":
        sentence = f"two_way lays two factors across each other; this study has {many}"
    return [Fault(("report", "layout"), sentence, "leave out `layout`: a row an arm")]


def _arms(
    study: Study, description: Description
) -> tuple[list[tuple[design.Cell, Arm]], list[Fault]]:
    arms: list[tuple[design.Cell, Arm]] = []
    faults: list[Fault] = []
    for cell in design.cells(study.design, [len(factor.levels) for factor in study.factors]):
        name = _arm_name(study, cell)
        config: Mapping[str, Any] = study.baseline
        for factor, index in zip(study.factors, cell, strict=True):
            if changes := factor.levels[index].changes:
                config = apply(config, changes)
        try:
            resolved = description.resolve(config)
        except ValidationError as error:
            faults += [
                Fault(_where(cell), f"arm '{name}' cannot be: {_told(fault)}", fault.hint)
                for fault in _complaints(error, config, description)
            ]
            continue
        levels = {f.name: f.levels[i].name for f, i in zip(study.factors, cell, strict=True)}
        needs = description.needs(resolved)
        arms.append((cell, Arm(arm_id(resolved, description), name, levels, resolved, needs=needs)))
    return arms, faults


def _baseline_faults(study: Study, description: Description) -> list[Fault]:
    """What is wrong in the baseline is wrong in every arm, and told once."""
    try:
        description.resolve(study.baseline)
    except ValidationError as error:
        return [
            replace(fault, path=("baseline", *fault.path))
            for fault in _complaints(error, study.baseline, description)
        ]
    return []


def _complaints(
    error: ValidationError, config: Mapping[str, Any], description: Description
) -> list[Fault]:
    wording = Wording(description.outline, whose=f"workload {description.name}")
    return complaints(problems(error, config), wording)


def _told(fault: Fault) -> str:
    path = fault.path[:-1] if fault.at_key else fault.path
    return f"{dotted(path)}: {fault.sentence}" if path else fault.sentence


def _levels(cell: design.Cell) -> Iterator[Path]:
    """The levels that make an arm, as paths."""
    return (("factors", i, "levels", index) for i, index in enumerate(cell))


def _where(cell: design.Cell) -> Path:
    """The level that makes an arm, if it is one alone; else the design."""
    changed = [i for i, index in enumerate(cell) if index]
    return ("factors", changed[0], "levels", cell[changed[0]]) if len(changed) == 1 else ("design",)


def _arm_name(study: Study, cell: design.Cell) -> str:
    """The words for a row: what differs from the design's reference."""
    levels = [factor.levels[index] for factor, index in zip(study.factors, cell, strict=True)]
    if not levels:
        return "baseline"
    if study.design == "factorial":
        return ", ".join(level.name for level in levels)
    on = [level.name for level, index in zip(levels, cell, strict=True) if index]
    if study.design in design.SCREENING:
        named = [f.name for f, index in zip(study.factors, cell, strict=True) if index]
        return " + ".join(named) or _baseline_name(levels)
    if study.design == "leave_one_out":
        off = [f.levels[1].name for f, index in zip(study.factors, cell, strict=True) if not index]
        return f"without {off[0]}" if off else "full"
    if study.design == "cumulative":
        return f"+ {on[-1]}" if on else _baseline_name(levels)
    return on[0] if on else _baseline_name(levels)


def _baseline_name(levels: list[Level]) -> str:
    return levels[0].name if len(levels) == 1 else "baseline"


def _level_faults(study: Study, description: Description) -> list[Fault]:
    """First levels must leave the baseline as it is; the others must change it."""
    baseline = description.resolve(study.baseline)
    faults: list[Fault] = []
    for i, factor in enumerate(study.factors):
        for j, level in enumerate(factor.levels):
            try:
                same = description.resolve(apply(study.baseline, level.changes)) == baseline
            except ValidationError:
                continue  # told of its arm, or in no arm
            path = ("factors", i, "levels", j)
            if j == 0 and not same:
                faults.append(
                    Fault(
                        path,
                        f"the first level of a factor is the baseline's, but '{level.name}' of "
                        f"'{factor.name}' changes it: put that change into the baseline, or give "
                        "the factor a first level without changes",
                    )
                )
            if j > 0 and same:
                faults.append(
                    Fault(path, f"level '{level.name}' of '{factor.name}' equals the baseline")
                )
    return faults


def _report_faults(study: Study, description: Description, arms: list[Arm]) -> list[Fault]:
    """Metrics that are asked for and that an arm's trials would not have."""
    asked: list[tuple[Path, str]] = [(("objective", "metric"), study.objective.metric)]
    asked += [(("report", index), name) for index, name in enumerate(study.report)]
    lacking = {arm.name: description.unmeasured(arm.config) for arm in arms}
    faults: list[Fault] = []
    for path, metric in asked:
        without = [name for name, unmeasured in lacking.items() if metric in unmeasured]
        if without:
            whose = "this study does" if len(without) == len(arms) else f"arm '{without[0]}' does"
            faults.append(
                Fault(path, f"{whose} not measure '{metric}'", lacking[without[0]][metric])
            )
    return faults


def _twin_faults(arms: list[tuple[design.Cell, Arm]]) -> list[Fault]:
    first: dict[str, str] = {}
    named: dict[str, design.Cell] = {}
    faults: list[Fault] = []
    for cell, arm in arms:
        changed = next((i for i, index in enumerate(cell) if index), None)
        path = ("design",) if changed is None else ("factors", changed, "levels", cell[changed])
        if arm.id in first:
            faults.append(
                Fault(path, f"arms '{first[arm.id]}' and '{arm.name}' are the same configuration")
            )
        elif arm.name in named:
            faults.append(
                Fault(path, f"two arms would be called '{arm.name}': rename one of their levels")
            )
        first.setdefault(arm.id, arm.name)
        named.setdefault(arm.name, cell)
    return faults


def _compared(study: Study, drawn: list[tuple[design.Cell, Arm]]) -> tuple[Arm, ...]:
    """The arms, each knowing which one it is compared with."""
    by_cell = dict(drawn)
    reference = drawn[0][1]
    position = next((i for i, f in enumerate(study.factors) if f.name == study.contrast), None)
    arms: list[Arm] = []
    for cell, arm in drawn:
        against = reference
        if position is not None:
            against = by_cell[(*cell[:position], 0, *cell[position + 1 :])]
        arms.append(replace(arm, against=None if against.id == arm.id else against.id))
    return tuple(arms)
