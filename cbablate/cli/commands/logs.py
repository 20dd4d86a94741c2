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
    from collections.abc import Mapping, Sequence

    from cbablate.analysis.named_trial import NamedTrial
    from cbablate.planning.plan import Plan
    from cbablate.records.logs import Logs

__all__ = ["logs"]

_WHOSE = "What commands print is kept; what functions print goes to the run's own output."


def logs(
    study: StudyPath,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE TRIAL",
            help='What to change of the study, if anything; then "ARM/REPLICATE", an arm (its '
            "replicate 0), or how a trial's id begins; "
            "without it, the trials that have printed are listed.",
        ),
    ] = None,
    replicate: Annotated[
        int | None, typer.Option(metavar="N", help="Another replicate of the arm.")
    ] = None,
    attempt: Annotated[
        int | None, typer.Option(metavar="N", help="An earlier attempt. [default: the last one]")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on while the trial runs.")
    ] = False,
    results: Kept = None,
    as_json: Json = False,
) -> None:
    """Show what the program of a trial has printed, in its last attempt."""
    from cbablate import api
    from cbablate.analysis.named_trial import named_trial, trials_of
    from cbablate.analysis.standing import Standing

    place = Place(ledger_folder(results))
    overrides, named_by = after_overrides(words or [])
    if len(named_by) > 1:
        raise UsageError(f"one trial at a time: {' '.join(named_by)} are {len(named_by)}")
    planned, facts = api.recorded(planned_study(study, overrides), place.folder)
    trials = trials_of(Standing(planned, facts))
    if not named_by:
        _list(planned, trials, place.logs(), as_json=as_json)
        return
    named = named_trial(trials, named_by[0], replicate=replicate)
    if follow and as_json:
        raise UsageError("--follow goes on and on, and --json is one whole: give one of them.")
    if follow and named.state in ("running", "waiting"):
        _follow(named, place)
        return
    number, text = _kept(named, place.logs(), attempt)
    if as_json:
        _say_as_json(planned, {**_shape(named, place.logs()), "attempt": number, "text": text})
    elif text:
        say(text.rstrip("\n"))
    else:
        tell(f"No output of {named} is here. {_WHOSE}")


def _say_as_json(planned: Plan, said: Mapping[str, object]) -> None:
    from cbablate.cli.json_shape import logs_shape, printed

    say(printed(logs_shape(planned, said)))


def _kept(named: NamedTrial, kept: Logs, attempt: int | None) -> tuple[int, str]:
    """An attempt, the last one if none is named, and what is kept of its output.

    Raises:
        UsageError: there is none of the attempt that was named.
    """
    there = kept.attempts(named.id)
    if attempt is not None and attempt not in there:
        listed = ", ".join(map(str, there)) or "none"
        raise UsageError(f"of {named.arm}/{named.replicate} there are attempts {listed}.")
    number = attempt if attempt is not None else max(there, default=0)
    return number, shown(kept.text(named.id, number)) if number else ""


def _list(planned: Plan, trials: Sequence[NamedTrial], kept: Logs, *, as_json: bool) -> None:
    """The trials whose output is kept."""
    found = [(each, attempts) for each in trials if (attempts := kept.attempts(each.id))]
    if as_json:
        _say_as_json(planned, {"trials": [_shape(each, kept) for each, _ in found]})
        return
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


def _shape(named: NamedTrial, kept: Logs) -> dict[str, object]:
    return {
        "trial": named.id,
        "arm": named.arm,
        "replicate": named.replicate,
        "tuning": named.tuning,
        "state": named.state,
        "attempts": kept.attempts(named.id),
    }
