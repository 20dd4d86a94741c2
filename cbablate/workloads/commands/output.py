"""`Output`: what a program has printed, read from the files that its guard writes."""

from __future__ import annotations

import re
from pathlib import Path

from cbablate.character import visible_lines
from cbablate.phrases import amount

__all__ = ["Output", "last_lines", "shown"]

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LINES = 30
_LONGEST = 8_000
"""Characters of a program's last lines that stand in a failure."""


class Output:
    """What a program prints, taken piece by piece; nothing where no program has printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number, self._at = 0, 0

    def taken(self, most: int) -> bytes:
        """What was printed since this was asked last, the first half and the last of so many bytes.

        A line in it says how much is left out between.
        """
        text, missed = self.news()
        if missed == 0 and len(text) <= most:
            return text
        half = most // 2
        begin, end = (text[:half], text[-half:]) if len(text) > most else (b"", text)
        missed += len(text) - len(begin) - len(end)
        return b"%s\n[... %s left out ...]\n%s" % (begin, amount(missed, "bytes").encode(), end)

    def news(self) -> tuple[bytes, int]:
        """What was printed since, as far as it is still there, and how many bytes are not."""
        parts: list[bytes] = []
        missed = 0
        for number, path in self._files():
            if number < self._number:
                continue
            try:
                with path.open("rb") as file:
                    file.seek(self._at if number == self._number else 0)
                    part = file.read()
            except FileNotFoundError:  # the guard has just left it out
                continue
            if number > self._number:
                missed += self._passed(number)
                self._number, self._at = number, 0
            self._at += len(part)
            parts.append(part)
        return b"".join(parts), missed

    def _passed(self, number: int) -> int:
        """How many bytes lie between what was read last and the beginning of a file."""
        from cbablate.workloads.commands.guard import HEAD, SEGMENT

        size = HEAD if self._number == 0 else SEGMENT
        return size - self._at + SEGMENT * (number - self._number - 1)

    def _files(self) -> list[tuple[int, Path]]:
        try:
            return sorted((int(each.name), each) for each in self.folder.iterdir())
        except OSError:
            return []


def last_lines(folder: Path) -> str:
    """The last lines that a program has printed, fit to be shown; empty where there was none."""
    files = sorted(folder.iterdir())[-2:] if folder.is_dir() else []
    text = b"".join(each.read_bytes() for each in files)[-2 * _LONGEST :]
    return "\n".join(shown(text).rstrip().split("\n")[-_LINES:])[-_LONGEST:]


def shown(text: bytes) -> str:
    """Output fit to be shown: without colours, of a progress bar what stood there at last, and what
    cannot be seen spelled out.
    """
    plain = _COLOURS.sub("", text.decode("utf-8", errors="replace"))
    return visible_lines("\n".join(line.rstrip().rpartition("\r")[2] for line in plain.split("\n")))
