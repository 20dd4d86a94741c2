"""The pages of decisions: numbered without gaps, all listed, and each reference names one."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
REFERENCE = re.compile(r"decisions?[/ ]\(?(\d{4})\b(-[\w-]+\.md)?")


def test_the_list_of_decisions_names_every_page_in_order() -> None:
    listed = re.findall(
        r"^\| \[(\d{4})\]\((.+)\) \| (.+) \|$",
        (ROOT / "docs/decisions/README.md").read_text(),
        re.M,
    )

    titles = [re.match(r"# (\d{4}) (.+)", page.read_text()) for page in PAGES]

    assert listed == [
        (title[1], page.name, title[2]) for page, title in zip(PAGES, titles, strict=True) if title
    ]
    assert [number for number, _, _ in listed] == [
        f"{number:04d}" for number in range(1, len(PAGES) + 1)
    ]


def test_a_reference_to_a_decision_names_a_page_that_exists() -> None:
    texts = [ROOT / "CHANGELOG.md", ROOT / "README.md"]
    for folder, kind in (("cbablate", "py"), ("docs", "md"), ("studies", "yaml")):
        texts += (ROOT / folder).rglob(f"*.{kind}")
    names = {page.name for page in PAGES}
    numbers = {name[:4] for name in names}

    references = [match for text in texts for match in REFERENCE.finditer(text.read_text())]

    assert len(references) > 5
    assert {match[1] for match in references} <= numbers
    assert {match[1] + match[2] for match in references if match[2]} <= names
