"""`results_folder`: the folder that a person means by `--results`."""

from __future__ import annotations

import re
from pathlib import Path

from cbablate.errors import EnvironmentFault

__all__ = ["results_folder"]

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+", re.ASCII)
_SECRETS = (
    re.compile(r"(://[^/@:]*:).*(?=@)", re.DOTALL),
    re.compile(r"((?:pass|secret|token|key)[^=&]*=)[^&]*", re.IGNORECASE),
)


def results_folder(results: str | Path) -> Path:
    """The folder, refused where the words are the address of something else.

    Raises:
        EnvironmentFault: results are kept in folders, and this is an address with a scheme.
    """
    found = _ADDRESS.match(str(results))
    if found is None or Path(f"{found[1]}:").is_dir():  # a folder may have such a name
        return Path(results)
    rest = str(results)[found.end() :]
    shown = f"{found[1]}://{rest}"  # a path has lost one of the two
    for secret in _SECRETS:
        shown = secret.sub(r"\1***", shown)
    hint = f" Did you mean /{rest}?" if found[1].lower() == "file" else ""
    raise EnvironmentFault(
        f"results are kept in a folder, and {shown} is the address of something else.{hint} Give "
        "a folder of this machine to --results, and copy it afterwards to wherever you want it."
    )
