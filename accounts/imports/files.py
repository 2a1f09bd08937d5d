"""The bytes of an uploaded file: looked at, kept in pieces in the database, and read again."""

import contextlib
import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from accounts.imports.columns import ADDED
from accounts.models import Import, ImportChunk
from accounts.tabular import DELIMITERS, UnusableFile
from accounts.tabular.shapes import MOST_BYTES, MOST_ROW_BYTES

PIECE = 1 << 20
# What is read within a request; a workbook unpacks to several times its size.
SMALL = 1 << 20
SMALL_WORKBOOK = SMALL // 5
ZIP_START = b"PK\x03\x04"
LAYOUT_KEYS = ("encoding", "delimiter", "skip_until")


class TooLarge(UnusableFile):
    status = 413
    code = "too_large"


def size_of(file: BinaryIO) -> int:
    """Return its size. Raises TooLarge."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MOST_BYTES:
        raise TooLarge(f"The file is larger than {MOST_BYTES // 1_000_000} MB. Split it.")
    return size


def digest_of(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def without_layout(mapping: Mapping[str, Any], file: BinaryIO) -> dict[str, Any]:
    """Return how to read the download of bad rows, which is written in another way."""
    file.seek(0)
    header = file.readline(MOST_ROW_BYTES).decode(errors="replace")
    file.seek(0)
    for delimiter in DELIMITERS:
        if delimiter.join(ADDED) in header:
            kept = {key: mapping[key] for key in mapping if key not in LAYOUT_KEYS}
            return {**kept, "delimiter": delimiter}
    return dict(mapping)


def keep(file: BinaryIO, import_: Import) -> None:
    """Write the file into the database, a piece at a time."""
    file.seek(0)
    place = 0
    while piece := file.read(PIECE):
        ImportChunk.objects.create(file=import_, place=place, content=piece)
        place += 1


@contextlib.contextmanager
def opened(import_: Import) -> Iterator[BinaryIO]:
    """Give the file back as it was sent. Raises UnusableFile where it is kept no longer."""
    pieces = ImportChunk.objects.filter(file=import_).values_list("content", flat=True)
    with tempfile.TemporaryFile() as file:
        for place in range((import_.size + PIECE - 1) // PIECE):
            piece = pieces.filter(place=place).first()
            if piece is None:
                raise UnusableFile("The file itself is kept no longer. Send it again.")
            file.write(piece)
        file.seek(0)
        yield file


def is_small(import_: Import) -> bool:
    """Whether it is read while somebody waits, and not by a worker."""
    if import_.size > SMALL_WORKBOOK:
        first = ImportChunk.objects.filter(file=import_, place=0).values_list("content", flat=True)
        start = bytes(first[0][:4]) if first else b""
        return import_.size <= SMALL and start != ZIP_START
    return True
