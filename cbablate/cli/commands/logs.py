"""`cbablate logs`: what a trial's program has printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cbablate.cli.variant import after_overrides, planned_study
from cbablate.cli.words import Json, Kept, StudyPath, ledger_folder, say, tell
from cbablate.errors import UsageError
from cbablate.records.place import Place
from cbablate.workloads.commands.output import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbablate.analysis.named_trial import NamedTrial

__all__ = ["logs"]

_WHOSE = "What commands print is kept; what functions print goes to the run's own output."


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE TRIAL",
        help='What to change of the study, if anything; then "ARM/REPLICATE" or "ARM '
        '#REPLICATE", an arm (its replicate 0), or how the id of a trial begins; without it, the '
        "trials that have printed are listed.",
    ),
]
Replicate = Annotated[int | None, typer.Option(metavar="N", help="Another replicate of the arm.")]
Attempt = Annotated[
    int | None, typer.Option(metavar="N", help="An earlier attempt. [default: the last one]")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on while the trial runs.")]


def logs(
    study: StudyPath,
    words: Words = None,
    replicate: Replicate = None,
    attempt: Attempt = None,
    follow: Follow = False,
    results: Kept = None,
    as_json: Json = False,
) -> None:
    """Show what the program of a trial has printed."""
    from cbablate import api
    from cbablate.analysis.named_trial import named_trial, trials_of
    from cbablate.analysis.standing import Standing
    from cbablate.cli.json_shape import logs_shape, printed

    place = Place(ledger_folder(results))
    overrides, trial = _named_by(words or [])
    planned, facts = api.recorded(planned_study(study, overrides), place.folder)
    trials = trials_of(Standing(planned, facts))
    kept = place.logs()
    if trial is None:
        found = [(each, attempts) for each in trials if (attempts := kept.attempts(each.id))]
        if as_json:
            shapes = [{**_shape(one), "attempts": made} for one, made in found]
            say(printed(logs_shape(planned, {"trials": shapes})))
        else:
            _list(found)
        return
    named = named_trial(trials, trial, replicate=replicate)
    if follow and as_json:
        raise UsageError("--follow goes on and on, and --json is one whole: give one of them.")
    if follow and named.state in ("running", "waiting"):
        _follow(named, place)
        return
    there = kept.attempts(named.id)
    if attempt is not None and attempt not in there:
        listed = ", ".join(map(str, there)) or "none"
        raise UsageError(f"of {named.arm}/{named.replicate} there are attempts {listed}.")
    number = attempt if attempt is not None else max(there, default=0)
    text = shown(kept.text(named.id, number)) if number else ""
    if as_json:
        said = {**_shape(named), "attempt": number, "attempts": there, "text": text}
        say(printed(logs_shape(planned, said)))
    elif text:
        say(text.rstrip("\n"))
    else:
        tell(f"No output of {named} is here. {_WHOSE}")


def _named_by(words: list[str]) -> tuple[list[str], str | None]:
    """What to change of the study, and the words for a trial, if there are any."""
    overrides, trials = after_overrides(words)
    if len(trials) > 1:
        raise UsageError(f"one trial at a time: {' '.join(trials)} are {len(trials)}")
    return overrides, trials[0] if trials else None


def _list(found: Sequence[tuple[NamedTrial, list[int]]]) -> None:
    """The trials whose output is kept."""
    for each, attempts in found:
        many = f", attempts {', '.join(map(str, attempts))}" if len(attempts) > 1 else ""
        say(f"{each}{many}")
    if not found:
        tell(f"No trial of this study has printed anything. {_WHOSE}")


def _follow(named: NamedTrial, place: Place) -> None:
    """An attempt's output as it comes."""
    from cbablate.running.live_output import followed

    attempt = named.attempts + (named.state == "waiting")
    if not place.at_work:
        tell(f"{named}: nothing runs it, so no more will come.")
    rest = b""
    for text in followed(named.id, attempt, place.logs(), lambda: place.at_work):
        lines, newline, rest = (rest + text).rpartition(b"\n")
        if newline:
            heard = say(shown(lines))
            if not heard:  # whoever read has left
                return
    if rest:
        say(shown(rest))


def _shape(named: NamedTrial) -> dict[str, object]:
    return {
        "trial": named.id,
        "arm": named.arm,
        "replicate": named.replicate,
        "tuning": named.tuning,
        "state": named.state,
    }
