"""What a file is, found by its bytes, and whether it is taken. Pure.

What is taken is walked through from its first byte to its last, so that a file that is two
things at once is refused. See docs/decisions/0019-files-people-send.md.
"""

import io
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

NAME_MAX = 200
SUFFIX_MAX = 10
RESERVED = re.compile(r'[<>:"|?*;\\/\s]+')
# Parts of a workbook or document that no honest one comes near.
PARTS_MAX = 5_000
PART_LIST_MAX = 1_000_000
TAKEN = "PDF, PNG, JPEG, GIF, WebP, text, CSV, e-mail (.eml), and Word, Excel or PowerPoint files"


class FileType(NamedTuple):
    """A type that is taken. The first of its suffixes is given to a name that has none."""

    name: str
    content_type: str
    suffixes: tuple[str, ...]


OFFICE = "application/vnd.openxmlformats-officedocument"
PDF = FileType("a PDF", "application/pdf", (".pdf",))
PNG = FileType("a PNG picture", "image/png", (".png",))
JPEG = FileType("a JPEG picture", "image/jpeg", (".jpg", ".jpeg"))
GIF = FileType("a GIF picture", "image/gif", (".gif",))
WEBP = FileType("a WebP picture", "image/webp", (".webp",))
TEXT = FileType("plain text", "text/plain", (".txt", ".log", ".md", ".json", ".yaml", ".yml"))
CSV = FileType("CSV", "text/csv", (".csv", ".tsv"))
EMAIL = FileType("an e-mail", "message/rfc822", (".eml",))
WORD = FileType("a Word file", f"{OFFICE}.wordprocessingml.document", (".docx",))
EXCEL = FileType("an Excel file", f"{OFFICE}.spreadsheetml.sheet", (".xlsx",))
POWERPOINT = FileType("a PowerPoint file", f"{OFFICE}.presentationml.presentation", (".pptx",))
ALL = (PDF, PNG, JPEG, GIF, WEBP, TEXT, CSV, EMAIL, WORD, EXCEL, POWERPOINT)
SUFFIXES = tuple(suffix for each in ALL for suffix in each.suffixes)
# By the part that makes it one.
DOCUMENTS = {
    "word/document.xml": WORD,
    "xl/workbook.xml": EXCEL,
    "ppt/presentation.xml": POWERPOINT,
}

# What stands before HTML, SVG and other markup that a browser might run.
MARKUP = re.compile(rb"<[a-z!?/]", re.IGNORECASE)
# Long enough not to come about in a picture by chance.
FOREIGN = re.compile(rb"<script|<!doctype|<html|<iframe|<svg |<\?php", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
HEADER = re.compile(r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+(?:\n|\Z)")
MACROS = re.compile(r"vba|macrosheets|activex|oleobject", re.IGNORECASE)
END_OF_ZIP = b"PK\x05\x06"
END_OF_ZIP_SIZE = 22
END_OF_ZIP_FAR = END_OF_ZIP_SIZE + 0xFFFF
MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
START_OF_SCAN = b"\xda"
PDF_START, PDF_START_FAR = b"%PDF-", 1024


class Refused(ValueError):
    """A file that is not taken; the words may be shown to the sender."""


class _Broken(Exception):
    """It begins like one of ours and goes on otherwise."""


def recognised(content: bytes, name: str) -> FileType:
    """Return what the file is. Raises Refused, in words that name it."""
    if not content:
        raise Refused(f"“{name}” is empty.")
    found = _by_content(content, name)
    suffix = suffix_of(name)
    if suffix and suffix not in found.suffixes:
        right = " or ".join(found.suffixes)
        if suffix in SUFFIXES:
            raise Refused(f"“{name}” is not what its name says: it is {found.name} ({right}).")
        raise Refused(f"“{name}”: files of this kind are not taken. Send {TAKEN}.")
    return found


def safe_name(name: str) -> str:
    """Return the name without folders and what a header or a screen would stumble over."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(" " if char.isspace() else char for char in last)
    kept = "".join(char for char in kept if unicodedata.category(char)[0] != "C")
    kept = RESERVED.sub(" ", kept).strip(" .")
    stem, suffix = _parted(kept)
    return stem[: NAME_MAX - len(suffix)].rstrip(" .") + suffix or "file"


def named_as(name: str, type_: FileType) -> str:
    """Return the name with a suffix of its type, so that nothing guesses what it is."""
    if suffix_of(name):
        return name
    return name[: NAME_MAX - SUFFIX_MAX] + type_.suffixes[0]


def suffix_of(name: str) -> str:
    return _parted(name)[1].lower()


def _parted(name: str) -> tuple[str, str]:
    suffix = PurePosixPath(name).suffix
    if not re.fullmatch(rf"[.][^\W_]{{1,{SUFFIX_MAX - 1}}}", suffix):
        suffix = ""
    return name.removesuffix(suffix), suffix


def _by_content(content: bytes, name: str) -> FileType:
    for start, type_, check in STARTS:
        if not content.startswith(start):
            continue
        try:
            found = check(content)
        except (_Broken, struct.error, IndexError) as error:
            raise Refused(f"“{name}” is damaged, or is not only {type_}.") from error
        return found
    return _text(content, name)


def _pdf(content: bytes) -> FileType:
    if b"%%EOF" not in content[-1024:] or _ends_as_zip(content):
        raise _Broken
    return PDF


def _png(content: bytes) -> FileType:
    at, kinds = 8, []
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        kind, end = content[at + 4 : at + 8], at + 8 + size
        (check,) = struct.unpack_from(">I", content, end)
        if not kind.isalpha() or zlib.crc32(content[at + 4 : end]) != check:
            raise _Broken
        kinds.append(kind)
        at = end + 4
        if kind == b"IEND":
            break
    if at != len(content) or kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or b"IDAT" not in kinds:
        raise _Broken
    return _picture(content, PNG)


def _jpeg(content: bytes) -> FileType:
    """Walk to the picture itself. Phones append to it, so only foreign things are refused after."""
    at = 2
    while marker := MARKER.match(content, at):
        (size,) = struct.unpack_from(">H", content, marker.end())
        at = marker.end() + size
        if size < 2 or at > len(content):  # noqa: PLR2004 the size counts itself
            raise _Broken
        if marker[1] == START_OF_SCAN:
            break
    else:
        raise _Broken
    if content.find(b"\xff\xd9", at) < 0:
        raise _Broken
    return _picture(content, JPEG)


def _gif(content: bytes) -> FileType:
    at = 13 + _colours(content[10])
    while content[at] != 0x3B:  # noqa: PLR2004 the trailer
        if content[at] == 0x21:  # noqa: PLR2004 an extension
            at += 2
        elif content[at] == 0x2C:  # noqa: PLR2004 a picture
            at += 11 + _colours(content[at + 9])
        else:
            raise _Broken
        while content[at]:
            at += 1 + content[at]
        at += 1
    if at + 1 != len(content):
        raise _Broken
    return _picture(content, GIF)


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(content: bytes) -> FileType:
    (size,) = struct.unpack_from("<I", content, 4)
    if content[8:12] != b"WEBP" or content[12:15] != b"VP8" or size + 8 != len(content):
        raise _Broken
    return _picture(content, WEBP)


def _picture(content: bytes, type_: FileType) -> FileType:
    if FOREIGN.search(content) or PDF_START in content[:PDF_START_FAR] or _ends_as_zip(content):
        raise _Broken
    return type_


def _office(content: bytes) -> FileType:
    try:
        return _document(content)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError) as error:
        raise _Broken from error


def _document(content: bytes) -> FileType:
    if content[-END_OF_ZIP_SIZE:][:4] != END_OF_ZIP or PDF_START in content[:PDF_START_FAR]:
        raise _Broken
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {part.filename: part for part in file.infolist()}
        if len(parts) != len(file.infolist()) or len(parts) > PARTS_MAX:
            raise _Broken
        if min(part.header_offset for part in parts.values()) != 0:
            raise _Broken
        if any(part.flag_bits & 1 or ".." in part.filename for part in parts.values()):
            raise _Broken
        listed = parts.get("[Content_Types].xml")
        found = [type_ for part, type_ in DOCUMENTS.items() if part in parts]
        if listed is None or len(found) != 1 or listed.file_size > PART_LIST_MAX:
            raise _Broken
        if any(MACROS.search(part) for part in parts):
            raise _Broken
        with file.open(listed) as types:
            if re.search(rb"macroEnabled|vbaProject", types.read(PART_LIST_MAX), re.IGNORECASE):
                raise _Broken
    return found[0]


def _ends_as_zip(content: bytes) -> bool:
    """Whether an unpacker, which reads from the end, would find files in it."""
    tail = content[-END_OF_ZIP_FAR:]
    at = tail.rfind(END_OF_ZIP)
    while at >= 0:
        if len(tail) - at >= END_OF_ZIP_SIZE:
            (size,) = struct.unpack_from("<I", tail, at + 12)
            start = len(content) - len(tail) + at - size
            if start >= 0 and content[start : start + 4] == b"PK\x01\x02":
                return True
        at = tail.rfind(END_OF_ZIP, 0, at)
    return False


def _text(content: bytes, name: str) -> FileType:
    text = _decoded(content)
    if text is None:
        raise Refused(f"“{name}”: files of this kind are not taken. Send {TAKEN}.")
    if MARKUP.match(text.lstrip().encode()) or b"%PDF-" in content[:PDF_START_FAR]:
        raise Refused(f"“{name}” begins like a web page or a drawing. Send a PDF or a picture.")
    if _ends_as_zip(content):
        raise Refused(f"“{name}” is text and an archive at once.")
    suffix = suffix_of(name)
    if suffix in CSV.suffixes:
        return CSV
    if suffix in EMAIL.suffixes:
        if HEADER.match(text.replace("\r\n", "\n")) is None:
            raise Refused(f"“{name}” is no e-mail: it does not begin with its headers.")
        return EMAIL
    return TEXT


def _decoded(content: bytes) -> str | None:
    """Return the text; of Windows, where it is nothing else; null where it is none."""
    codecs = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for codec in codecs:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        return None if CONTROL.search(text) else text
    return None


STARTS: tuple[tuple[bytes, str, Callable[[bytes], FileType]], ...] = (
    (PDF_START, PDF.name, _pdf),
    (b"\x89PNG\r\n\x1a\n", PNG.name, _png),
    (b"\xff\xd8\xff", JPEG.name, _jpeg),
    (b"GIF87a", GIF.name, _gif),
    (b"GIF89a", GIF.name, _gif),
    (b"RIFF", WEBP.name, _webp),
    (b"PK\x03\x04", "a Word, Excel or PowerPoint file without macros", _office),
)
