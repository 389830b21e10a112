"""What is taken, by what it declares and what it contains."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.files.media_types import Findings, canonical, inspect, is_taken

OFFICE = "application/vnd.openxmlformats-officedocument"


def a_zip(*names: str, mimetype: str = "") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        if mimetype:
            archive.writestr(zipfile.ZipInfo("mimetype"), mimetype)
        for name in names:
            archive.writestr(name, "x" * 50)
    return written.getvalue()


def an_mp4(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mp42isom" + bytes(50)


RIFF, EBML = b"RIFF\x24\0\0\0", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84"
TAKEN = [
    ("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(50)),
    ("image/jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(50)),
    ("image/gif", b"GIF89a" + bytes(50)),
    ("image/webp", RIFF + b"WEBPVP8 " + bytes(50)),
    ("audio/wav", RIFF + b"WAVEfmt " + bytes(50)),
    ("audio/mpeg", b"ID3\x03\0\0\0\0\0\x0a" + bytes(50)),
    ("audio/mpeg", b"\xff\xfb\x90\x64" + bytes(50)),
    ("audio/aac", b"\xff\xf1\x50\x80" + bytes(50)),
    ("audio/ogg", b"OggS\0\x02" + bytes(22) + b"\x01\x13OpusHead" + bytes(50)),
    ("audio/flac", b"fLaC\0\0\0\x22" + bytes(50)),
    ("audio/amr", b"#!AMR\n" + bytes(50)),
    ("audio/mp4", an_mp4(b"M4A ")),
    ("audio/mp4", an_mp4(b"iso5")),
    ("audio/webm;codecs=opus", EBML + b"webm" + bytes(50)),
    ("video/webm", EBML + b"webm" + bytes(50)),
    ("video/x-matroska", EBML.replace(b"\x84", b"\x88") + b"matroska" + bytes(50)),
    ("video/mp4", an_mp4(b"isom")),
    ("video/3gpp", an_mp4(b"3gp4")),
    ("video/quicktime", b"\0\0\0\x14ftypqt  \0\0\x02\0qt  " + bytes(50)),
    ("application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    ("application/zip", a_zip("a.txt")),
    (
        f"{OFFICE}.wordprocessingml.document",
        a_zip("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    ),
    (
        f"{OFFICE}.spreadsheetml.sheet",
        a_zip("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    ),
    (
        "application/vnd.oasis.opendocument.text",
        a_zip("content.xml", mimetype="application/vnd.oasis.opendocument.text"),
    ),
    ("text/plain", "Ñuu Savi: ¿qué dices?\n\tnada\r\n".encode()),
    ("text/plain", b"\xef\xbb\xbfwith a byte order mark"),
    ("text/plain", b"BM begins like a bitmap, and MZ like a program"),
    ("text/plain", b"a < b, and <3"),
    ("text/csv", b"name,age\nAna,30\n"),
    ("text/vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n"),
]
REFUSED = [
    ("image/png", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(50)),
    ("image/png", b"hello"),
    ("video/mp4", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50)),
    ("audio/mpeg", an_mp4(b"isom")),
    ("application/zip", b"MZ\x90\0" + bytes(60)),
    ("application/pdf", b"\x7fELF\x02\x01\x01" + bytes(50)),
    (f"{OFFICE}.wordprocessingml.document", a_zip("META-INF/MANIFEST.MF", "A.class")),
    ("text/plain", b"caf\xe9"),
    ("text/plain", "hello".encode("utf-16")),
    ("text/plain", b"bell \x07"),
    ("text/plain", b"escape \x1b[31m"),
    ("text/plain", "a C1 control \x9b".encode()),
    ("text/plain", b"NUL \0"),
    ("text/plain", b"half a letter \xc3"),
    ("text/plain", b"<!DOCTYPE html><p>hello"),
    ("text/plain", b"\xef\xbb\xbf \n\t<HTML >"),
    ("text/csv", b"<script>alert(1)</script>"),
    ("text/markdown", b"<?xml version='1.0'?><svg/>"),
    ("text/plain", b"<svg onload=alert(1)>"),
]


@pytest.mark.parametrize(("declared", "content"), TAKEN)
def test_what_is_what_it_says_is_taken(declared: str, content: bytes) -> None:
    assert is_taken(canonical(declared))
    assert inspect([content]).fits(canonical(declared))


@pytest.mark.parametrize(("declared", "content"), REFUSED)
def test_what_is_something_else_does_not_fit(declared: str, content: bytes) -> None:
    assert is_taken(declared)
    assert not inspect([content]).fits(declared)


@pytest.mark.parametrize(
    "declared",
    [
        "text/html",
        "image/svg+xml",
        "application/xhtml+xml",
        "text/xml",
        "application/xml",
        "application/javascript",
        "text/javascript",
        "application/octet-stream",
        "application/x-msdownload",
        "",
        "*/*",
        "image/*",
        "image",
    ],
)
def test_what_a_browser_or_a_machine_would_run_is_never_taken(declared: str) -> None:
    assert not is_taken(canonical(declared))


def test_names_that_clients_use_become_the_registered_ones() -> None:
    assert canonical(" Audio/WebM; codecs=opus ") == "audio/webm"
    assert canonical("image/jpg") == "image/jpeg"
    assert canonical("audio/x-wav") == "audio/wav"


@given(st.binary(max_size=300), st.integers(1, 50))
def test_how_the_bytes_are_chunked_makes_no_difference(content: bytes, size: int) -> None:
    chunks = [content[start : start + size] for start in range(0, len(content), size)]

    assert inspect(chunks) == inspect([content])


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_text_without_control_characters_is_text_unless_it_is_markup(text: str) -> None:
    found = inspect([letter.encode() for letter in text])

    assert found.is_text or text.lstrip("\ufeff \t\n\f\r").startswith("<")
    assert isinstance(found, Findings)
