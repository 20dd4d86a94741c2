"""Text files, read with suspicion: whatever is wrong with one before its language matters."""

from __future__ import annotations

import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean
from cbablate.spec.yaml.tree import FilePlace

__all__ = ["MAX_BYTES", "Flaw", "Unreadable", "read_text", "unfit"]

MAX_BYTES = 2**20
_MOST_FOLDERS = 50

_CONFLICT = re.compile(r"^(<{7}|>{7}|\|{7}) ", re.MULTILINE)
_BREAK = re.compile(r"\r\n|\r|\n")
_INVISIBLE = frozenset(
    "\u200b\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\x85"
)
"""Characters that show nothing, or turn the text around, and so hide what a file says."""
_KINDS = {"Cc": "a control character", "Cn": "a noncharacter"}
"""What is called what a file may not hold, by its category in Unicode."""


@dataclass(frozen=True)
class Flaw:
    """What is wrong at a place of the file, whatever the schema."""

    place: FilePlace
    sentence: str
    hint: str = ""


class Unreadable(Exception):
    """A file of which no tree can be made. `flaws` lack a place only where there is no text."""

    def __init__(self, *flaws: Flaw, sentence: str = "", hint: str = "") -> None:
        super().__init__(sentence)
        self.flaws = flaws
        self.hint = hint


def read_text(path: Path) -> str:
    """The text of a regular file in UTF-8, its byte-order mark left out.

    Raises:
        Unreadable: there is no such file, it is too long, or it is not a text.
    """
    text = _decoded(_content(path))
    flaws = [*_bad_characters(text), *_conflicts(text)]
    if flaws:
        raise Unreadable(*flaws)
    return text


def unfit(character: str) -> bool:
    """Whether a scalar cannot hold it: controls, halves of surrogate pairs, what Unicode says will
    never be a character (U+FFFF), what hides text.
    """
    if character in "\n\t":
        return False
    if unicodedata.category(character) in ("Cc", "Cs") or character in _INVISIBLE:
        return True
    return ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF


def _content(path: Path) -> bytes:
    if any("\ud800" <= character <= "\udfff" for character in str(path)):
        raise Unreadable(sentence="its name, or a folder's, is not UTF-8", hint="rename it")
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise Unreadable(sentence=f"is {what}; name a YAML file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if path.is_symlink():
            sentence = f"is a link to {path.readlink()}, which does not exist"
            raise Unreadable(sentence=sentence) from None
        raise Unreadable(sentence="there is no such file", hint=_neighbours(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(sentence=f"cannot be read: {reason}") from error
    if len(content) > MAX_BYTES:
        raise Unreadable(sentence=f"has more than {MAX_BYTES:,} bytes, the most that is read")
    return content


def _neighbours(path: Path) -> str:
    """Which file beside it, or in a folder there, may have been meant."""
    try:
        beside = _yaml_files(path.parent)
        folders = sorted(p for p in path.parent.iterdir() if p.is_dir() and p.name[:1] != ".")
    except (OSError, ValueError):
        return f"there is no folder '{path.parent}' either"
    stems = {one.stem: one.name for one in beside}
    below = [one for folder in folders[:_MOST_FOLDERS] for one in _yaml_files(folder)]
    within = {one.stem: str(one) for one in reversed(below)}
    asked = did_you_mean(path.stem, stems, spelt=stems.__getitem__)
    asked = asked or did_you_mean(path.stem, within, spelt=within.__getitem__)
    if asked or not beside:
        return asked or f"there is no YAML file in '{path.parent}'"
    names = [one.name for one in beside]
    return f"there are {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}"


def _yaml_files(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.suffix in (".yaml", ".yml"))
    except OSError:
        return []  # it may not be read


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise Unreadable(Flaw(FilePlace(1, 1), "the file is in UTF-32", "save it as UTF-8"))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(Flaw(FilePlace(1, 1), "the file is in UTF-16", "save it as UTF-8"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        byte = content[error.start]
        raise Unreadable(
            Flaw(
                _place_after(before),
                f"byte 0x{byte:02X} at offset {error.start:,} is not UTF-8",
                "save the file as UTF-8",
            )
        ) from None


def _place_after(text: str) -> FilePlace:
    lines = _BREAK.split(text)
    return FilePlace(len(lines), len(lines[-1]) + 1)


def _bad_characters(text: str) -> Iterator[Flaw]:
    for offset, character in enumerate(text):
        if character.isprintable() or character in "\t\n\r":
            continue
        if unfit(character):
            what = _KINDS.get(unicodedata.category(character), "an invisible character")
            hint = "is this a text file?" if character == "\0" else "delete it"
            sentence = f"{what}, {scalar.named(character)}"
            yield Flaw(_place_after(text[:offset]), sentence, hint)
            return


def _conflicts(text: str) -> Iterator[Flaw]:
    found = _CONFLICT.search(text)
    if found:
        yield Flaw(_place_after(text[: found.start()]), "an unresolved merge conflict")
