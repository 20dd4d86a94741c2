"""Characters that a file may not hold, wherever it holds them: a located sentence for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cbablate.errors import StudyError
from tests.spec.study_files import TOY, read, swap

NONCHARACTERS = [
    *(plane << 16 | last for plane in range(17) for last in (0xFFFE, 0xFFFF)),
    *range(0xFDD0, 0xFDF0),
]
STEERING = [0, 7, 8, 0x1B, 0x7F, 0x80, 0x9B, 0x9F, 0x202A, 0x202E, 0x2066, 0x2069, 0x200B, 0xFEFF]
PLACES = [
    "# {}\n",
    "question2: a{}b\n",
    "x: '{}'\n",
    "k{}: 1\n",
    "x: [{}]\n",
    "{}\n",
    "x: |\n  {}\n",
]


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(StudyError) as caught:
        read(folder, text)
    said = str(caught.value)
    assert said.replace("\n", " ").isprintable(), said
    return said


@pytest.mark.parametrize("place", PLACES)
def test_a_noncharacter_a_control_or_half_a_pair_is_located(place: str, tmp_path: Path) -> None:
    for number in [*NONCHARACTERS, *STEERING, 0xD800, 0xDBFF, 0xDC00, 0xDFFF]:
        said = refused(tmp_path, TOY + place.format(chr(number)))
        assert re.search(r"x\.yaml:1[45]:\d+: ", said), (hex(number), said)
        surrogate = 0xD800 <= number <= 0xDFFF
        assert ("is not UTF-8" if surrogate else f"U+{number:04X}") in said, said


@pytest.mark.parametrize("number", [0xFFFF, 0xFFFE, 0x1FFFF, 0xFDD0, 0xD800, 0x202E, 0, 0x1B])
def test_such_a_character_spelt_as_an_escape_is_located(number: int, tmp_path: Path) -> None:
    text = swap(TOY, "How fast does the curve rise?", f'"\\U{number:08X}"')
    assert re.search(rf"x\.yaml:1:11: .*U\+{number:04X}", refused(tmp_path, text))


@pytest.mark.parametrize("escape", ["\\U00110000", "\\UFFFFFFFF", "\\x4", "\\u12", "\\q"])
def test_an_escape_of_no_character_is_located(escape: str, tmp_path: Path) -> None:
    text = swap(TOY, "How fast does the curve rise?", f'"{escape}"')
    assert re.search(r"x\.yaml:1:\d+: ", refused(tmp_path, text))


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_file_in_another_encoding_is_refused_at_its_beginning(codec: str, tmp_path: Path) -> None:
    said = refused(tmp_path, TOY.encode(codec))
    assert "x.yaml:1:1: " in said or "x.yaml:1:2: " in said
    assert "UTF-16" in said or "UTF-32" in said or "NUL" in said or "U+0000" in said


def test_one_byte_order_mark_is_skipped_and_a_second_is_located(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + TOY).study.name == "x"
    assert "x.yaml:1:1: " in refused(tmp_path, "\ufeff\ufeff" + TOY)


@pytest.mark.slow
def test_an_empty_file_a_nul_and_every_single_byte_are_sentences(tmp_path: Path) -> None:
    refused(tmp_path, b"")
    for byte in range(256):
        refused(tmp_path, bytes([byte]))
        refused(tmp_path, TOY.encode() + b"x: " + bytes([byte]) + b"\n")
