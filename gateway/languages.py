"""The languages of the page, one file of sentences each, and the choice by Accept-Language."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """The sentences of one language. `code` is its BCP 47 tag."""

    code: str
    sentences: dict[str, str]

    def text(self, key: str, /, **values: object) -> str:
        """The sentence of `key` with its blanks filled; KeyError where there is none."""
        return self.sentences[key].format(**values)

    def count(self, key: str, number: int) -> str:
        """The sentence of `key` in the right number: its `.one` form for 1, otherwise `.other`."""
        return self.text(f"{key}.{'one' if number == 1 else 'other'}", number=f"{number:,}")

    def repeated(self, sentence: str) -> str:
        """A sentence of the search service in this language; empty where it is not known in it."""
        if self.code == DEFAULT:
            return sentence
        for key, pattern in _service_sentences().items():
            if known := pattern.fullmatch(sentence):
                return self.text(key, **known.groupdict())
        return ""

    def has(self, key: str) -> bool:
        return key in self.sentences


def _load() -> dict[str, Language]:
    files = sorted((Path(__file__).parent / "locales").glob("*.json"))
    return {file.stem: Language(file.stem, json.loads(file.read_text("utf-8"))) for file in files}


LANGUAGES = _load()


@cache
def _service_sentences() -> dict[str, re.Pattern[str]]:
    """The sentences of the service that are translated, by key; their blanks are numbers."""
    sentences = LANGUAGES[DEFAULT].sentences
    return {key: _pattern(text) for key, text in sentences.items() if key.startswith("service.")}


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[\\d,]+)", re.escape(text)))


def preferred(accept_language: str) -> Language:
    """The known language of the highest weight in an Accept-Language header; English where there is none."""
    weighed = [_weighed(part) for part in accept_language.split(",")]
    for tag, weight in sorted(weighed, key=lambda pair: -pair[1]):
        if weight > 0 and (language := LANGUAGES.get(tag.partition("-")[0])):
            return language
    return LANGUAGES[DEFAULT]


def _weighed(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return tag.strip().lower(), 1.0
    try:
        return tag.strip().lower(), float(value)
    except ValueError:
        return tag.strip().lower(), 0.0
