"""What a tracking server did, read from what MLflow's client raises about it."""

from __future__ import annotations

import os
import re

from cbablate.errors import in_a_line
from cbablate.mirrors.mlflow_deadline import Late

__all__ = ["answer"]

_STATUS = re.compile(r"too many (\d{3}) error responses|failed with error code (\d{3}) ")
_MEANT = {
    "401": "are MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the token, right?",
    "403": "is this user allowed to write there?",
    "404": "is this the address of an MLflow server?",
}
_SIGNS = (
    (r"Connection refused", "the connection was refused: no server listens there"),
    (
        r"NameResolutionError|Failed to resolve|Name or service not known|getaddrinfo failed",
        "there is no host of that name",
    ),
    (r"unreachable", "the host cannot be reached from here"),
    (r"redirects", "it redirects without end"),
    (
        r"in a valid JSON format|ParseError|JSONDecodeError",
        "it answered something else than MLflow's JSON: is it another kind of server?",
    ),
    (r"ContentDecodingError|DecodeError|content-encoding", "its answer cannot be decoded"),
    (
        r"Connection aborted|RemoteDisconnected|Connection reset|closed connection|BadStatusLine"
        r"|IncompleteRead|Broken pipe|ProtocolError|InvalidChunkLength|LineTooLong|InvalidHeader"
        r"|UnknownProtocol|HTTPException",
        "it closed the connection, or did not speak HTTP",
    ),
)
"""What an error says, and what it means; the first that is found counts."""


def answer(error: BaseException) -> str:
    """One sentence on what happened, without the server's pages and without MLflow's advice."""
    if isinstance(error, Late):
        return str(error)
    said = " ".join(_chain(error))
    status = _STATUS.search(said)
    if status:
        code = next(filter(None, status.groups()))
        asked = f"; {_MEANT[code]}" if code in _MEANT else ""
        return f"it answered HTTP {code}{asked}"
    if re.search(r"SSL|certificate", said, re.IGNORECASE):
        reason = re.search(r"\[SSL[^\]]*\][^()]*|certificate verify failed[^()]*", said)
        return f"no TLS connection could be made: {reason[0].strip() if reason else 'SSL error'}"
    if re.search(r"timed? ?out", said, re.IGNORECASE):
        seconds = os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", "")
        return f"it did not answer within {seconds} s".replace("  s", " the time it is given")
    for sign, meaning in _SIGNS:
        if re.search(sign, said):
            return meaning
    if type(error).__module__.startswith(("mlflow", "requests", "urllib3", "sqlalchemy")):
        return re.sub(r"<[^>]{0,200}>", " ", in_a_line(error, limit=None))
    return f"its answer cannot be read ({type(error).__name__})"


def _chain(error: BaseException) -> list[str]:
    """The error and what it was raised about, each with its class."""
    found: list[str] = []
    one: BaseException | None = error
    while one is not None and len(found) < 10:
        found.append(f"{type(one).__name__}: {one}")
        one = one.__cause__ or one.__context__
    return found
