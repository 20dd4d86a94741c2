"""`Logs`: what programs have printed, kept per attempt: bounded, and packed when it has ended.

They lie in a folder of the results, `logs/<trial>/<attempt>.log`, and as `.log.gz` once the attempt
has ended. Everything here may be deleted at any time.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["HEAD", "TAIL", "Logs"]

HEAD, TAIL = 1_000_000, 4_000_000
"""How many bytes of the beginning of a log, and of its end, are kept."""

_LEFT_OUT = re.compile(rb"\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n")
_NAME = re.compile(r"(\d+)\.log(\.gz)?")


class Logs:
    """The logs in a folder; one driver writes.

    Args:
        folder: where they lie; made when the first one is written.
        tell: is told a sentence, once, when one cannot be kept. No trial fails by that.
    """

    def __init__(
        self, folder: Path, *, tell: Callable[[str], None] = lambda sentence: None
    ) -> None:
        self.folder = folder
        self._tell = tell
        self._unkept = False

    def append(self, trial: str, attempt: int, text: bytes) -> None:
        """Keep what came of an attempt; of a long log the middle is left out."""
        path = self._path(trial, attempt)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(text)
                size = file.tell()
            if size > HEAD + 2 * TAIL:
                self._put(path, _shortened(path.read_bytes()))
        except OSError as error:
            self._complain(error)

    def close(self, trial: str, attempt: int) -> None:
        """Pack the log of an attempt that has ended, if there is one."""
        path = self._path(trial, attempt)
        try:
            if path.exists():
                packed = gzip.compress(_shortened(path.read_bytes()), compresslevel=6, mtime=0)
                self._put(path.with_name(f"{path.name}.gz"), packed)
                path.unlink()
        except OSError as error:
            self._complain(error)

    def tidy(self) -> None:
        """Pack what drivers left that were killed."""
        for path in sorted(self.folder.glob("*/*.log")):
            self.close(path.parent.name, int(path.stem))

    def attempts(self, trial: str) -> list[int]:
        """The attempts at a trial that have a log, in order."""
        with suppress(OSError):
            names = [_NAME.fullmatch(path.name) for path in (self.folder / trial).iterdir()]
            return sorted({int(name[1]) for name in names if name})
        return []

    def closed(self, trial: str, attempt: int) -> bool:
        """Whether an attempt has ended that has left a log."""
        path = self._path(trial, attempt)
        return path.with_name(f"{path.name}.gz").exists()

    def text(self, trial: str, attempt: int) -> bytes:
        """What is kept of an attempt's output; of a damaged log its beginning.

        Raises:
            FileNotFoundError: nothing is.
        """
        path = self._path(trial, attempt)
        with suppress(FileNotFoundError):
            return path.read_bytes()
        packed = path.with_name(f"{path.name}.gz").read_bytes()
        return _unpacked(packed)[0]

    def damaged(self) -> list[Path]:
        """The logs that are not what was written."""
        packed = sorted(self.folder.glob("*/*.log.gz"))
        return [path for path in packed if not _unpacked(path.read_bytes())[1]]

    def _path(self, trial: str, attempt: int) -> Path:
        return self.folder / trial / f"{attempt}.log"

    def _put(self, path: Path, content: bytes) -> None:
        """Write a file so that it is there as a whole, or not."""
        half = path.with_name(f"{path.name}.half")
        half.write_bytes(content)
        half.replace(path)

    def _complain(self, error: OSError) -> None:
        if not self._unkept:
            self._unkept = True
            self._tell(
                f"the output of trials cannot be kept in {self.folder} ({error.strerror}): "
                "training goes on without"
            )


def _shortened(text: bytes) -> bytes:
    """A log without its middle, where it is longer than is kept."""
    if len(text) <= HEAD + TAIL:
        return text
    middle = text[HEAD:-TAIL]
    before = _LEFT_OUT.match(middle)
    missing = len(middle)
    if before is not None:
        missing += int(before[1]) - len(before[0])
    return b"%s\n[... %d bytes left out ...]\n%s" % (text[:HEAD], missing, text[-TAIL:])


def _unpacked(packed: bytes) -> tuple[bytes, bool]:
    """What can be read of a packed log, and whether that is all."""
    reader = zlib.decompressobj(wbits=31)
    try:
        text = reader.decompress(packed, HEAD + TAIL + 1_000)
    except zlib.error:
        return b"", False
    return text, reader.eof
