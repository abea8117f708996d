"""Files: those that others made are read with suspicion and bounds, our own appear whole."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from evalkit.errors import Finding

Note = Callable[[Finding], None]
# Who is told how many bytes were read: a progress bar, which everything below it need not know of.
_watcher: ContextVar[Callable[[int], None] | None] = ContextVar("watcher", default=None)

BLOCK = 1 << 22
MAX_RATIO = 200  # JSON and TSV compress 3 to 30 times; a bomb about 1,000 times
ALWAYS_FINE = 1 << 26  # so much may come out of any archive


def refusal(path: Path, folder: Path | None = None) -> Finding | None:
    """Return why `path` must not be read: missing, no regular file, or a link that leaves `folder`."""
    try:
        real = path.resolve(strict=True)
    except FileNotFoundError:
        return Finding(str(path), None, "there is no such file", "A data set needs it: see the guide")
    except (OSError, RuntimeError):
        return Finding(
            str(path), None, "the path cannot be followed", "Remove the link that leads in a circle"
        )
    if not real.is_file():
        return Finding(str(path), None, "this is no regular file", "Name a file")
    if folder is not None and not real.is_relative_to(folder.resolve()):
        return Finding(
            str(path), None, "the link leaves the data set's folder", "Put a copy of the file there"
        )
    return None


def blocks(path: Path, note: Note) -> Iterator[bytes]:
    """Yield the content of `path` in blocks, decompressed where its name ends in `.gz`.

    A file that cannot be read to its end, or that expands like a bomb, ends early with a finding.
    """
    total = 0
    try:
        limit = max(ALWAYS_FINE, MAX_RATIO * path.stat().st_size)
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while block := file.read(BLOCK):
                total += len(block)
                if path.suffix == ".gz" and total > limit:
                    what = f"the archive expands more than {MAX_RATIO} times: reading stopped"
                    note(Finding(str(path), None, what, "Unpack it yourself if you trust it"))
                    return
                count_read(len(block))
                yield block
    except (OSError, EOFError, zlib.error) as error:
        note(Finding(str(path), None, f"the file cannot be read: {error}", "Check or fetch it again"))


@contextmanager
def watched(watcher: Callable[[int], None]) -> Iterator[None]:
    """Let `watcher` be told of the bytes that are read inside the block."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def count_read(size: int) -> None:
    """Tell whoever watches that `size` bytes were read."""
    if (watcher := _watcher.get()) is not None:
        watcher(size)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 where there is none."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def content(path: Path, note: Note) -> bytes:
    """Return the whole of `path`, decompressed; what could be read where there is a finding."""
    return b"".join(blocks(path, note))


def write_file(path: Path, content: bytes) -> None:
    """Write `content` to a temporary name beside `path` and rename it: `path` is never half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
