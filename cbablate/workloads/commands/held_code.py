"""`HeldCode`: a trial's command held against the code that is on record, from start to end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.spec.program import Program
from cbablate.workloads.commands.ran_files import RanFiles
from cbablate.workloads.commands.room import Room
from cbablate.workloads.own_code.program_check import changed_files, chosen_here, written_words

__all__ = ["HeldCode"]


class HeldCode:
    """The files of a command and its config, and those that its Python programs run.

    Raises:
        TrialFailure: a file is missing here, or is another than when the study was read.
    """

    def __init__(self, program: Program, config: Mapping[str, Any], room: Room) -> None:
        self.program, self._config = program, config
        _as_recorded(changed_files(program, config=config))
        self._ran = RanFiles(program, chosen_here(program, config), room)

    def watched(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables of a program whose Python processes write down what they run."""
        return self._ran.seen_in(environment)

    def so_far(self) -> None:
        """Called at each measurement.

        Raises:
            TrialFailure: a file of the user's has run that is not on record.
        """
        sentence = self._ran.complaint()
        if sentence:
            raise TrialFailure(sentence)

    def in_the_end(self) -> None:
        """Called when the program has ended well.

        Raises:
            TrialFailure: a file was edited meanwhile, has become code, or is not on record.
        """
        _as_recorded(written_words(self.program, config=self._config))
        _as_recorded(changed_files(self.program, config=self._config))
        self.so_far()


def _as_recorded(sentence: str) -> None:
    """Go on if the sentence about files is empty.

    Raises:
        TrialFailure: it is not.
    """
    if sentence:
        raise TrialFailure(sentence, failure="other code")
