"""Finding words in jobs: every word of a search has to begin some word of the title or description.

Case and accents do not count (`grabacion` finds Grabación), and no language is assumed: a word
stands for all that begin with it (`sentence` finds sentences), which is what stemming would be
used for and works in languages that no stemmer knows. Latin words of one or two letters have to
be whole: half of all words begin with an `a`.

PostgreSQL reads the column `search` (migration 0002), which it generates itself from title and
description, so that no way of writing a job can forget it. It is no field of the model: only the
expressions here name it. SQLite reads title and description with the functions below; that is a
look at every row, which a development database can afford. The two agree on which jobs are found.
They differ in how they count relevance (a word in the title is worth ten in the description for
both; PostgreSQL's ts_rank also damps repetitions), and in scripts whose letters the C library of
PostgreSQL's host does not know.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, IntegerField, Value
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler

# Enough for a sentence; each word is a look-up in the index.
MOST_WORDS = 10
# Shorter Latin words have to be whole.
SHORTEST_BEGINNING = 3
ACCENTS = re.compile("[\u0300-\u036f]")
# What PostgreSQL keeps of ts_rank: an integer survives the way to a client and back unchanged.
RANK_SCALE = 1_000_000
_TITLE_WORTH, _DESCRIPTION_WORTH = 10, 1


def words_of(text: str) -> tuple[str, ...]:
    """The words of `text`, each once, without case and accents."""
    return tuple(dict.fromkeys(_folded(text).split()))


class HasWords(Func):
    """Whether a job has all of `words`, which come from `words_of`."""

    output_field = BooleanField()
    function = "faena_has_words"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        super().__init__(F("title"), F("description"), Value(" ".join(words)))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, list[str]]:
        return f"({_column(self, compiler)} @@ to_tsquery('simple', %s))", [_tsquery(self.words)]


class Relevance(Func):
    """How well a job fits `words`: a whole number, larger is better."""

    output_field = IntegerField()
    function = "faena_relevance"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        super().__init__(F("title"), F("description"), Value(" ".join(words)))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, list[str]]:
        rank = f"ts_rank({_column(self, compiler)}, to_tsquery('simple', %s))"
        return f"({rank} * {RANK_SCALE})::integer", [_tsquery(self.words)]


def teach_sqlite(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give a new connection to SQLite the two functions; others need none."""
    if connection.vendor == "sqlite":
        for function in (faena_has_words, faena_relevance):
            connection.connection.create_function(
                function.__name__, 3, function, deterministic=True
            )


def faena_has_words(title: str, description: str, words: str) -> bool:
    """Whether each of `words` begins a word of the one or the other."""
    text = _haystack(f"{title}\n{description}")
    return bool(words) and all(needle in text for needle in _needles(words))


def faena_relevance(title: str, description: str, words: str) -> int:
    """How often `words` begin words of the title, ten times that, and of the description."""
    in_title, in_description = _haystack(title), _haystack(description)
    return sum(
        in_title.count(needle) * _TITLE_WORTH + in_description.count(needle) * _DESCRIPTION_WORTH
        for needle in _needles(words)
    )


def _column(expression: Func, compiler: SQLCompiler) -> str:
    # The table may have an alias in this query; the title stands beside the column.
    title = expression.source_expressions[0]
    assert isinstance(title, Col)
    return f"{compiler.quote_name_unless_alias(title.alias)}.search"


def _tsquery(words: tuple[str, ...]) -> str:
    # Words are letters, marks and digits: nothing in them can be an operator or end the quotes.
    return " & ".join(f"'{word}':*" if _is_beginning(word) else f"'{word}'" for word in words)


def _is_beginning(word: str) -> bool:
    # In a script without blanks, one character can be a whole word inside a longer run.
    return len(word) >= SHORTEST_BEGINNING or not word.isascii()


@lru_cache(maxsize=64)
def _needles(words: str) -> tuple[str, ...]:
    return tuple(f" {word}" if _is_beginning(word) else f" {word} " for word in words.split())


def _haystack(text: str) -> str:
    return f" {_folded(text)} "


def _folded(text: str) -> str:
    """`text` in lower case without accents, everything between words being one blank."""
    plain = ACCENTS.sub("", unicodedata.normalize("NFKD", text)).lower()
    return " ".join("".join(each if _is_of_a_word(each) else " " for each in plain).split())


def _is_of_a_word(character: str) -> bool:
    # Marks too: the vowels of many scripts are marks, and \w would cut words at them.
    return unicodedata.category(character)[0] in "LNM"
