"""What files are taken, and the hostile ones that are not."""

import io
import struct
import zipfile
import zlib

import pytest

from engagements.rules import file_types
from engagements.rules.file_types import Refused, recognised, safe_name


def png(*, text=b"", after=b""):
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    parts = [chunk(b"tEXt", text)] if text else []
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *parts, pixels, chunk(b"IEND", b""), after])


def jpeg(*, comment=b"", after=b""):
    parts = [b"\xff\xd8", b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"]
    if comment:
        parts.append(b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment)
    return b"".join([*parts, b"\xff\xda\x00\x02", b"\x12\x34", b"\xff\xd9", after])


def gif(*, after=b""):
    return (
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
        b"\x21\xf9\x04\x01\x00\x00\x00\x00"
        b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b"
    ) + after


def webp():
    body = b"WEBPVP8L" + struct.pack("<I", 4) + b"\x2f\x00\x00\x00"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pdf(*, before=b"", after=b""):
    return before + b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<<>>\n%%EOF\n" + after


def zipped(parts, *, comment=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.comment = comment
    return file.getvalue()


TYPES = '<Types><Override ContentType="application/vnd.openxmlformats"/></Types>'


def office(main="word/document.xml", **further):
    return zipped({"[Content_Types].xml": TYPES, main: "<w/>", **further})


def mail():
    return b"From: kari@halden.example\r\nSubject: Yes\r\n\r\nWe agree.\r\n"


TAKEN = {
    "report.pdf": (pdf(), "application/pdf"),
    "screen.png": (png(), "image/png"),
    "photo.jpg": (jpeg(), "image/jpeg"),
    "photo.jpeg": (jpeg(after=b"more of a phone's picture"), "image/jpeg"),
    "moving.gif": (gif(), "image/gif"),
    "small.webp": (webp(), "image/webp"),
    "notes.txt": (b"Plain text, with an \xc3\xa9.", "text/plain"),
    "windows.log": (b"Caf\xe9 \x80 12", "text/plain"),
    "wide.txt": ("Größe".encode("utf-16"), "text/plain"),
    "answer.json": (b'{"a": "<script>"}', "text/plain"),
    "seats.csv": (b"account,seats\nHalden,12\n", "text/csv"),
    "mail.eml": (mail(), "message/rfc822"),
    "sow.docx": (office(), f"{file_types.OFFICE}.wordprocessingml.document"),
    "plan.xlsx": (office("xl/workbook.xml"), f"{file_types.OFFICE}.spreadsheetml.sheet"),
    "talk.pptx": (
        office("ppt/presentation.xml"),
        f"{file_types.OFFICE}.presentationml.presentation",
    ),
}
ANY_ZIP = zipped({"a.txt": "A"})
HOSTILE = {
    "nothing.txt": b"",
    "page.html": b"<!doctype html><script>alert(1)</script>",
    "page.txt": b"  \n<html><script>alert(1)</script>",
    "page.log": "\ufeff<script>alert(1)</script>".encode(),
    "wide-page.txt": "<svg onload=alert(1)>".encode("utf-16"),
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "xml.txt": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a/>',
    "run.exe": b"MZ\x90\x00\x03\x00\x00\x00",
    "run.pdf": b"MZ\x90\x00\x03\x00\x00\x00",
    "program": b"\x7fELF\x02\x01\x01\x00",
    "script.bat": b"del *.*",
    "script.ps1": b"Remove-Item *",
    "script.js": b"alert(1)",
    "shortcut.lnk": b"L\x00\x00\x00\x01\x14\x02\x00",
    "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "archive.zip": ANY_ZIP,
    "archive.docx": ANY_ZIP,
    "macro.docm": office(**{"word/vbaProject.bin": "x"}),
    "macro.docx": office(**{"word/vbaProject.bin": "x"}),
    "renamed-macro.docx": office(**{"word/VBAproject.BIN": "x"}),
    "declared-macro.xlsx": zipped(
        {"[Content_Types].xml": TYPES.replace("formats", "macroEnabled"), "xl/workbook.xml": ""}
    ),
    "activex.docx": office(**{"word/activeX/activeX1.xml": "x"}),
    "packager.docx": office(**{"word/embeddings/oleObject1.bin": "MZ"}),
    "slip.docx": office(**{"../../etc/cron.d/x": "x"}),
    "two.docx": office(**{"xl/workbook.xml": "x"}),
    "untyped.docx": zipped({"word/document.xml": "<w/>"}),
    "tail.docx": office() + b"<script>alert(1)</script>",
    "comment.docx": zipped(
        {"[Content_Types].xml": TYPES, "word/document.xml": ""}, comment=b"<script>"
    ),
    "front.docx": b"GIF89a" + office(),
    "cut.docx": office()[:-10],
    "wrong.pdf": png(),
    "wrong.png": pdf(),
    "wrong.csv": png(),
    "half.pdf": b"%PDF-1.7\n",
    "archive.pdf": pdf(after=ANY_ZIP + b"%%EOF"),
    "late.pdf": pdf(before=b"#!/bin/sh\n"),
    "page.pdf": b"<html>" + pdf(),
    "tail.png": png(after=b"<script>alert(1)</script>"),
    "text.png": png(text=b"Comment\0<script>alert(1)</script>"),
    "archive.png": png(after=ANY_ZIP),
    "pdf.png": png(text=b"Comment\0%PDF-1.7"),
    "cut.png": png()[:-6],
    "flipped.png": png().replace(b"IDAT", b"IDAX"),
    "endless.png": b"\x89PNG\r\n\x1a\n" + b"\xff" * 40,
    "comment.jpg": jpeg(comment=b"<script>alert(1)</script>"),
    "php.jpg": jpeg(after=b"<?php system($_GET['c']); ?>"),
    "archive.jpg": jpeg(after=ANY_ZIP),
    "pdf.jpg": jpeg(comment=b"%PDF-1.7"),
    "cut.jpg": jpeg()[:12],
    "filled.jpg": b"\xff\xd8" + b"\xff" * 100_000,
    "tail.gif": gif(after=b"<script>"),
    "script.gif": b"GIF89a/*\x00\x00\x00*/=alert(1);",
    "cut.gif": gif()[:-4],
    "cut.webp": webp()[:-1],
    "sound.webp": b"RIFF\x04\x00\x00\x00WAVE",
    "zip.txt": b"Text first.\n" + ANY_ZIP,
    "pdf.txt": b"\n\n%PDF-1.7\n",
    "mail.eml": b"No headers here.",
    "binary.csv": b"a,b\x00\x01\n",
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken_is_known_by_its_bytes(name):
    content, content_type = TAKEN[name]
    assert recognised(content, name).content_type == content_type


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused_in_words_that_name_it(name):
    with pytest.raises(Refused, match=name.replace(".", "[.]")):
        recognised(HOSTILE[name], name)


@pytest.mark.parametrize("name", TAKEN)
def test_no_cut_breaks_anything(name):
    content, _ = TAKEN[name]
    for end in range(len(content)):
        try:
            recognised(content[:end], name)
        except Refused:
            continue


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\kari\Angebot.pdf", "Angebot.pdf"),
        ("a.csv\r\nSet-Cookie: x", "a.csv Set-Cookie x"),
        ("cod\u202egpj.exe", "codgpj.exe"),
        ("a\u200b\u2066b.txt", "ab.txt"),
        ('a<b>"c|d?.txt', "a b c d.txt"),
        ("x" * 5_000 + ".pdf", "x" * 196 + ".pdf"),
        ("e\u0301.txt", "é.txt"),
        ("\ud800.txt", "txt"),
        ("name.exe. ", "name.exe"),
        ("...", "file"),
        ("", "file"),
        ("/", "file"),
    ],
)
def test_names_lose_what_is_not_a_name(sent, kept):
    assert safe_name(sent) == kept


def test_a_name_without_a_suffix_gets_the_one_of_its_type():
    assert file_types.named_as("screen", recognised(png(), "screen")) == "screen.png"
