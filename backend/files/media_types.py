"""Which types of files are taken, and what a file's content says about its type.

A file is taken when its declared type is listed here and its content fits. What a browser would
run, such as HTML and SVG, is not listed, and is not taken as plain text either.
"""

import codecs
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import filetype

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
_TEXTS = frozenset({"text/plain", "text/csv", "text/markdown", "text/vtt"})
_SPEAKING_FOR_THEMSELVES = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "audio/aac",
    "audio/amr",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "video/mp4",
    "video/mpeg",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
    "application/pdf",
    "application/zip",
    f"{_OFFICE}.wordprocessingml.document",
    f"{_OFFICE}.spreadsheetml.sheet",
    f"{_OFFICE}.presentationml.presentation",
    f"{_OPEN_DOCUMENT}.text",
    f"{_OPEN_DOCUMENT}.spreadsheet",
    f"{_OPEN_DOCUMENT}.presentation",
)
# Declared type to the types that its content may be found to be. Containers hold sound and film
# alike: a phone's recording declares audio and looks like film.
_CONTENTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{each: frozenset({each}) for each in _SPEAKING_FOR_THEMSELVES},
        "audio/mp4": frozenset({"audio/mp4", "video/mp4"}),
        "audio/webm": frozenset({"video/webm"}),
        "audio/3gpp": frozenset({"video/3gpp", "video/mp4"}),
        "video/3gpp": frozenset({"video/3gpp", "video/mp4"}),
        "video/ogg": frozenset({"audio/ogg"}),
    }
)
# What browsers, phones and filetype say besides the registered names.
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "image/jpg": "image/jpeg",
        "audio/mp3": "audio/mpeg",
        "audio/m4a": "audio/mp4",
        "audio/x-m4a": "audio/mp4",
        "audio/x-aac": "audio/aac",
        "audio/x-flac": "audio/flac",
        "audio/wave": "audio/wav",
        "audio/x-wav": "audio/wav",
        "audio/vnd.wave": "audio/wav",
        "video/x-m4v": "video/mp4",
        "application/x-zip-compressed": "application/zip",
        "text/x-markdown": "text/markdown",
    }
)
_HEAD_BYTES = 8 * 1024  # what filetype looks at
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
# What makes a browser that guesses call a text HTML or XML (WHATWG, MIME Sniffing, section 7.1).
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\x0c\r ]*<(?:!doctype|!--|\?xml|(?:html|head|script|iframe|h1|div|font"
    rb"|table|a|style|title|b|body|br|p|svg|math|meta|link|object|embed|img|template)[\s/>])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the bytes of a file were found to be.

    `media_type` is None when nothing about them is known; `is_text` says that all of them are
    UTF-8 without control characters, and no markup.
    """

    size: int
    sha256: str
    media_type: str | None
    is_text: bool

    def fits(self, declared: str) -> bool:
        """Whether a file of the type `declared`, in its canonical name, may look like this."""
        if declared in _TEXTS:
            return self.is_text
        return self.media_type in _CONTENTS.get(declared, ())


def canonical(media_type: str) -> str:
    """The registered name of a type, without parameters: audio/webm;codecs=opus is audio/webm."""
    plain = media_type.partition(";")[0].strip().lower()
    return _ALIASES.get(plain, plain)


def taken() -> frozenset[str]:
    """Every type that is taken, by its canonical name."""
    return _TEXTS | _CONTENTS.keys()


def is_taken(media_type: str) -> bool:
    """Whether files of this type, in its canonical name, are taken."""
    return media_type in taken()


def inspect(chunks: Iterable[bytes]) -> Findings:
    """Read all `chunks` once, keeping only the first kilobytes of them."""
    digest = hashlib.sha256()
    text = _TextCheck()
    size, head = 0, b""
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
        text.feed(chunk)
        if len(head) < _HEAD_BYTES:
            head += chunk[: _HEAD_BYTES - len(head)]
    guess = filetype.guess_mime(head) if head else None
    return Findings(
        size=size,
        sha256=digest.hexdigest(),
        media_type=canonical(guess) if guess else None,
        is_text=text.passes() and not _MARKUP.match(head),
    )


class _TextCheck:
    """Whether bytes are UTF-8 without control characters; cheap once they are not."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._passes = True

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        if not self._passes:
            return
        try:
            self._passes = not _UNWRITABLE.search(self._decoder.decode(chunk, final))
        except UnicodeDecodeError:
            self._passes = False

    def passes(self) -> bool:
        self.feed(b"", final=True)
        return self._passes
