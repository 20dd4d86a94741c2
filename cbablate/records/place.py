"""`results_folder`: the folder that a person means by `--results`."""

from __future__ import annotations

import re
from pathlib import Path

from cbablate.errors import UsageError

__all__ = ["results_folder"]

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(/*)", re.ASCII)
_SECRETS = (
    re.compile(r"(://[^/@:]*:).*(?=@)", re.DOTALL),
    re.compile(r"^([^/@:]*:)[^/].*(?=@)", re.DOTALL),
    re.compile(r"((?:pass|secret|token|key)[^=&]*=)[^&]*", re.IGNORECASE),
)


def results_folder(results: str | Path) -> Path:
    """The folder, refused where the words are the address of something else.

    A folder whose name is like an address is named by its path, as `./s3:bucket`; as a `Path` that
    would lose its `./`, so the folder is absolute then.

    Raises:
        UsageError: results are kept in folders, and this is an address with a scheme.
    """
    words = str(results)
    found = _ADDRESS.match(words)
    if found is None:
        folder = Path(results)
        return folder.absolute() if _ADDRESS.match(str(folder)) else folder
    scheme, slashes = found.groups()
    rest = words[found.end() :]
    shown = f"{scheme}:{'//' if slashes else ''}{rest}"  # a path has lost one of the two
    for secret in _SECRETS:
        shown = secret.sub(r"\1***", shown)
    hint = f" Did you mean {slashes[:1]}{rest}?" if scheme.lower() == "file" else ""
    hint += "" if slashes else f" A folder of that name is ./{shown}."
    raise UsageError(
        f"results are kept in a folder, and {shown} is the address of something else.{hint} Give "
        "a folder of this machine to --results, and copy it afterwards to wherever you want it."
    )
