"""Which rules of the ladder hold in other languages than English.

    python evals/languages_rules.py FOLDER [--languages de ru]

FOLDER holds LANG_docs.jsonl (`text`) for each language, as for languages_bench.py. Every sentence is claimed with
itself as evidence, as it is, and with one thing changed: a whole number of two to four digits made one greater, a word
that denies left out, a name inside the sentence replaced. Printed is the share that is withheld, and of how many.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path

from rag_geo.grounding import Evidence, check
from rag_geo.records import Sentence
from rag_geo.text.denials import CUES, LANGUAGES, denies
from rag_geo.text.sentences import sentence_spans

_NUMBER = re.compile(r"(?<![\d.,:/-])\d{2,4}(?![\d.,:/-])")
_NAME = re.compile(r"(?<=[^\W\d_] )[^\W\d_][^\W\d_]{3,}(?![\w])")
_ENGLISH = re.compile(r"\b(?:not|never|no|without) ", re.IGNORECASE)
_CHINESE = re.compile("没有|不|没|未")


def main() -> None:
    """Print a line for each language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--languages", nargs="*", default=[])
    options = parser.parse_args()
    changes: dict[str, Callable[[str, str], str]] = {
        "unchanged": lambda text, _: text,
        "number": _other_number,
        "negation": _affirmed,
        "name": _other_name,
    }
    for language in options.languages or sorted(path.name[:2] for path in options.folder.glob("??_docs.jsonl")):
        sentences = _sentences(options.folder / f"{language}_docs.jsonl", language)
        cells = [language]
        for name, change in changes.items():
            pairs = [(text, change(text, language)) for text in sentences]
            if name != "unchanged":
                pairs = [(text, other) for text, other in pairs if other != text]
            withheld = sum(_is_withheld(other, text) for text, other in pairs)
            cells.append(f"{name} {withheld / max(1, len(pairs)):.1%} of {len(pairs):,}")
        print("; ".join(cells), flush=True)


def _sentences(path: Path, language: str) -> list[str]:
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    return [text[start:end] for text in texts for start, end in sentence_spans(text, language=language)]


def _is_withheld(claim: str, text: str) -> bool:
    return check(claim, Evidence((Sentence("a.txt", 1, 0, len(text), text),))) is not None


def _other_number(text: str, _: str) -> str:
    return _NUMBER.sub(lambda found: str(int(found[0]) + 1), text, count=1)


def _affirmed(text: str, language: str) -> str:
    """The sentence without its one word that denies; as it is when there is none, or more than one."""
    if language == "en":
        return _ENGLISH.sub("", text, count=1)
    if language not in LANGUAGES or not denies(text, language):
        return text
    cue = _CHINESE if language == "zh" else re.compile(rf"\b(?:{'|'.join(sorted(CUES[language]))})\b ?", re.IGNORECASE)
    other = cue.sub("", text, count=1)
    return text if denies(other, language) else other


def _other_name(text: str, language: str) -> str:
    if language in ("zh", "ar"):
        return text
    return _NAME.sub(lambda found: "Quellmar" if found[0][0].isupper() else found[0], text, count=1)


if __name__ == "__main__":
    main()
