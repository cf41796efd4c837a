"""What must be 0 too: shown sentences that are a cited one with a negation left out or put in.

By other means than the rung of the ladder that withholds such sentences: the words of both are laid side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import NamedTuple

#: Share of the words of a sentence, negators apart, that a cited text has in the same order.
SAME = 0.9
#: Words that are the same on either side of the place of a negation, unless the sentence begins or ends there.
_BESIDE = 2

_NEGATORS = frozenset(("not", "never", "no", "no longer", "neither", "nor", "none", "hardly", "scarcely", "barely"))
_TOKEN = re.compile(r"no longer|n't|\d+(?:[.,]\d+)*|[^\W\d_]+?(?=n't)|[^\W\d_]+(?:'[^\W\d_]+)?")
_PARTS = {"n't": ("not",), "cannot": ("can", "not"), "without": ("with", "not"), "ca": ("can",), "wo": ("will",)}
# "No, it does not" and "No. 5" deny nothing.
_NO_NEGATOR = re.compile(r"\bno(?=[,.;:!])")


class _Stretch(NamedTuple):
    """Words of the cited text and of the sentence at the same place; `same` when they are the same words."""

    same: bool
    cited: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def off(self) -> bool:
        """Whether it is nothing but a negation, and only one of the two has it."""
        words = self.cited + self.said
        return bool(self.cited) != bool(self.said) and all(word in _NEGATORS for word in words)


def negation_off(sentence: str, quotes: Sequence[str]) -> bool:
    """Tell whether a sentence is a cited one, or several of them joined, with a negation left out or put in.

    The words are laid side by side by `difflib.SequenceMatcher`. The sentence is off when at least `SAME` of its words
    are matched, and somewhere among them one side has nothing but negators and the other has nothing; unless another
    quote says the sentence as it is. A clause that was left out as a whole may have a negation in it.
    """
    said, off = _tokens(sentence), False
    for text in (*quotes, " ".join(quotes)):
        stretches = _beside(_tokens(text), said)
        if not _mostly_same(stretches):
            continue
        if any(_turned(stretches, place) for place in range(len(stretches))):
            off = True
        elif not any(word in _NEGATORS for one in stretches if not one.same for word in one.cited + one.said):
            return False
    return off


def _tokens(text: str) -> list[str]:
    folded = _NO_NEGATOR.sub("", " ".join(text.casefold().replace("’", "'").split()))
    return [part for token in _TOKEN.findall(folded) for part in _PARTS.get(token, (token,))]


def _beside(cited: Sequence[str], said: Sequence[str]) -> list[_Stretch]:
    """Lay words side by side, from where the sentence begins in the cited text to where it ends there."""
    codes = SequenceMatcher(None, cited, said, autojunk=False).get_opcodes()
    found = [_Stretch(code == "equal", tuple(cited[a:b]), tuple(said[c:d])) for code, a, b, c, d in codes]
    if found and not found[0].same:
        # Of what goes before in the cited text, only a negation right in front is about the sentence.
        denied = tuple(takewhile(_NEGATORS.__contains__, reversed(found[0].cited)))
        found[0] = found[0]._replace(cited=denied)
    if found and not found[-1].same and set(found[-1].cited) - _NEGATORS:
        found[-1] = found[-1]._replace(cited=())
    return found


def _mostly_same(stretches: Iterable[_Stretch]) -> bool:
    words = [(one.same, word) for one in stretches for word in one.said if word not in _NEGATORS]
    return bool(words) and sum(same for same, _ in words) >= SAME * len(words)


def _turned(stretches: Sequence[_Stretch], place: int) -> bool:
    """Tell whether a negation is missing or new at this place, and what is beside it is really the same."""
    before, after = stretches[:place][::-1], stretches[place + 1 :]
    return stretches[place].off and _joined(before) and _joined(after)


def _joined(stretches: Sequence[_Stretch]) -> bool:
    """Tell whether enough words follow that are the same, other negations apart, or the sentence is over before."""
    run = list(takewhile(lambda one: one.same or one.off, stretches))
    words = sum(len(one.said) for one in run if one.same)
    return words >= _BESIDE or not any(one.said for one in stretches[len(run) :])
