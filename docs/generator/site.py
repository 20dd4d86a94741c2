"""The site's hook: files of the repository that pages link to are pages, too.

In the repository `docs/data.md` links to `../studies/x.yaml`, and whoever reads it there gets the
file. A site holds docs/ alone, so each file outside that a page links to (a study, the
contributor's guide) gets a page below `repository/`, and links lead there. A link to a file that
is not there stays as it is, and MkDocs refuses it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

__all__ = ["on_config", "on_files", "on_page_markdown"]

_LINK = re.compile(r"(?P<before>\]\(|src=\")(?P<to>[^)\s#:\"]+)(?P<anchor>#[^)\s\"]*)?(?=[)\"])")
_BELOW = "repository"
_FOUND_LATER = ("repository/", "decisions/")
_ALWAYS = ("studies", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """In the navigation a folder of the repository stands for all that it holds."""
    config.nav = [_unfolded(item, _docs(config)) for item in config.nav or ()]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """A page for each file of the repository that a page links to, and so on from there."""
    docs, root = _docs(config), _docs(config).parent
    waiting = [*sorted(docs.rglob("*.md")), *(root / name for name in _ALWAYS)]
    made: dict[str, Path] = {}
    while waiting:
        source = waiting.pop(0)
        if docs not in source.parents:
            made[_uri(source, docs)] = source
        for linked in _linked(source):
            outside = root in linked.parents and docs not in linked.parents
            if outside and linked.exists() and _uri(linked, docs) not in made:
                made[_uri(linked, docs)] = linked
                waiting.append(linked)
    for uri, source in made.items():
        if source.suffix in _IMAGES:
            files.append(File.generated(config, uri, abs_src_path=str(source)))
        else:
            files.append(File.generated(config, uri, content=_text(source, uri, docs)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with links to files of the repository turned to their pages.

    A search names what explains a word before what uses it.
    """
    if page.file.src_uri.startswith(_FOUND_LATER):
        page.meta.setdefault("search", {"boost": 0.1})
    if page.file.src_uri.startswith(_BELOW):
        if page.file.src_uri.endswith(".yaml.md"):
            page.meta.setdefault("hide", ["toc"])
        return markdown
    docs = _docs(config)
    return _turned(markdown, docs / page.file.src_uri, page.file.src_uri, docs)


_IMAGES = (".png", ".svg", ".jpg")


def _docs(config: MkDocsConfig) -> Path:
    return Path(config.docs_dir).resolve()


def _uri(path: Path, docs: Path) -> str:
    """Where in the site's source a file of the repository is."""
    if docs in path.parents:
        return path.relative_to(docs).as_posix()
    inside = f"{_BELOW}/{path.relative_to(docs.parent).as_posix()}"
    if path.is_dir():
        return f"{inside}/index.md"
    return inside if path.suffix in (".md", *_IMAGES) else f"{inside}.md"


def _linked(source: Path) -> Iterator[Path]:
    """The files that a page links to; of a folder, those that it shows."""
    if source.is_dir():
        yield from sorted(path for path in source.iterdir() if _shown(path))
    elif source.suffix == ".md":
        for link in _LINK.finditer(source.read_text(encoding="utf-8")):
            yield (source.parent / link["to"]).resolve()


def _shown(path: Path) -> bool:
    return path.suffix in (".yaml", ".py") or (path.is_dir() and any(path.glob("*.yaml")))


def _text(source: Path, uri: str, docs: Path) -> str:
    """The page of a file, or of a folder."""
    name = source.relative_to(docs.parent).as_posix()
    if source.is_dir():
        here = posixpath.dirname(uri)
        lines = [
            f"- [`{path.name}`]({posixpath.relpath(_uri(path, docs), here)}){_asked(path)}"
            for path in _linked(source)
        ]
        return f"# {name}/\n\n" + "\n".join(lines) + "\n"
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".md":
        return _turned(text, source, uri, docs)
    language = source.suffix.removeprefix(".")
    return f"# {name}\n\n````{language}\n{text.rstrip()}\n````\n"


def _asked(study: Path) -> str:
    """What a study asks, as the end of a line."""
    if study.suffix != ".yaml":
        return ""
    question = re.search(r"^question: (.+)$", study.read_text(encoding="utf-8"), re.MULTILINE)
    return f": {question[1]}" if question else ""


def _turned(markdown: str, source: Path, uri: str, docs: Path) -> str:
    def turned(link: re.Match[str]) -> str:
        path = (source.parent / link["to"]).resolve()
        if docs.parent not in path.parents or not path.exists():
            return link[0]
        to = posixpath.relpath(_uri(path, docs), posixpath.dirname(uri) or ".")
        return f"{link['before']}{to}{link['anchor'] or ''}"

    return _LINK.sub(turned, markdown)


def _unfolded(item: Any, docs: Path) -> Any:
    """An entry of the navigation, folders in it replaced by their pages."""
    if isinstance(item, list):
        return [_unfolded(one, docs) for one in item]
    if not isinstance(item, dict):
        return item
    ((title, what),) = item.items()
    if not (isinstance(what, str) and what.endswith("/")):
        return {title: _unfolded(what, docs)}
    folder = docs.parent / what.removeprefix(f"{_BELOW}/")
    return {title: [f"{what}index.md", *_pages(folder, docs)]}


def _pages(folder: Path, docs: Path) -> list[Any]:
    """The pages of a folder of the repository, folders as sections."""
    return [
        {f"{path.name}/": [_uri(path, docs), *_pages(path, docs)]}
        if path.is_dir()
        else {path.name: _uri(path, docs)}
        for path in _linked(folder)
    ]
