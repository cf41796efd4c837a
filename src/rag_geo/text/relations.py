"""What hangs together in a sentence, and whether another sentence turns it around.

Each check compares a claim with the sentences it is said to rest on and gives a reason in words, or None. They look at
the surface only: word order, prepositions, "by", the copula, clause boundaries. Each speaks up only where both texts
have the same words and put them together the other way round; what cannot be told from the surface passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from rag_geo.text.facts import TITLES, Facts, Name, Negation, Word, facts, stem
from rag_geo.text.quantities import Quantity, follows, listed

_STRONG = frozenset(
    listed("""while whereas but although though because which who whose where compared unlike since if when""")
)
_SHORT_SCOPE = 2
_BE = frozenset(listed("""is are was were be been being become becomes became becoming remain remains remained as"""))
_COPULA = frozenset({"is", "are", "was", "were", "remains", "became", "becomes"})
_PREPOSITIONS = frozenset(
    listed("""of in by from to with for at between on near against under over through into within among via like than
    toward towards about since until after before during across behind beyond outside inside as""")
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_BEFORE_SAYING = frozenset(listed("also has had have further then who himself herself still too"))
_CONJUNCTIONS = frozenset(listed("after before until since as like than"))
_RELATIVE = frozenset(["which", "who", "whose", "where", "whom"])
_PASSIVE = frozenset(listed("is are was were be been being get gets got"))
_SAYING = frozenset(
    stem(word)
    for word in listed("""say argue believe claim report write note warn expect think explain add state observe suggest
    describe call affirm hold doubt predict conclude insist maintain contend remark point
    estimate find consider see regard propose recommend fear hope announce declare emphasize
    stress""")
)
_VIEWS = frozenset(
    stem(word) for word in listed("view account opinion argument eyes words judgment assessment estimate")
)
_OPPOSITES = """
more greater:less fewer*; rise increase grow gain climb growth surge:fall decrease decline drop shrink;
before:after*; large big great:small little*; major:minor; high:low*; strong:weak*; strengthen:weaken;
import:export*; win victory:lose defeat*; buy purchase:sell*; support back:oppose; accept:reject refuse;
include:exclude; open:close shut; start begin launch:end finish stop; first:last; rich wealthy:poor*; old:young
new*; early:late; better:worse*; best:worst; above:below*; most:least; majority:minority; add:remove;
expand:contract shrink; allow permit:forbid ban prohibit; enter join:leave quit; borrow:lend*; attack:defend;
long:short*; fast quick:slow*; senior:junior*; safe:dangerous; success succeed:fail; raise:lower reduce cut; lift
ease:impose tighten; ally friend:enemy foe; positive:negative; optimist:pessimist; public:private; male:female;
arrive:depart; birth bear:death die; appear:disappear; agree:disagree; approve:disapprove; superior:inferior*;
upper:lower; hot warm:cold cool*; wet:dry; heavy:light*; easy simple:difficult hard; cheap:expensive; near
close:far; deep:shallow; wide broad:narrow; north northern:south southern; east eastern:west western;
buyer:seller*; creditor:debtor*; surplus:deficit; always:never; inside:outside; within:beyond; common:rare; likely
probable:unlikely; possible:impossible; legal:illegal; dependent:independent; advantage:disadvantage;
trust:mistrust distrust; same:different; together:apart; rural:urban; peace:war; love:hate; build:destroy;
improve:worsen deteriorate; maximum:minimum; teacher:student*; employer:employee*; exporter:importer*;
military:civilian; temporary:permanent; voluntary:compulsory; increase:reduce; earlier:later*; faster:slower*;
thick:thin; full:empty; winter:summer; day:night; hire:fire; attract:repel; widen:narrow; loosen:tighten;
friendly:hostile; formal:informal; direct:indirect; man:woman
"""
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "mis")


_PAIRS = " ".join(_OPPOSITES.split()).split(";")
_CONVERSE = frozenset(
    number for number, entry in enumerate(_PAIRS) if entry.strip().endswith("*")
)  # turn round with A, B


def _sides() -> dict[str, list[tuple[int, int]]]:
    """For each stem of the table, its pairs and its side in each."""
    sides: dict[str, list[tuple[int, int]]] = {}
    for number, entry in enumerate(_PAIRS):
        for side, words in enumerate(entry.strip("* ").split(":")):
            for word in words.split():
                sides.setdefault(stem(word), []).append((number, side))
    return sides


_SIDE = _sides()


def overlap(claim: Facts, sentence: Facts) -> float:
    """Give the share of the claim's content words in the sentence; 1 for a claim without any."""
    return len(claim.content & sentence.content) / len(claim.content) if claim.content else 1.0


def closest(claim: Facts, sentences: Sequence[Facts], slack: float = 0.75) -> list[Facts]:
    """Give the sentences with nearly the largest overlap, best first."""
    scored = sorted(((overlap(claim, s), -i) for i, s in enumerate(sentences)), reverse=True)
    return [sentences[-i] for share, i in scored if share > 0 and share >= slack * scored[0][0]]


def is_same(one: Name, other: Name) -> bool:
    """Whether two names may be of one thing: the words of the shorter are among those of the longer."""
    a, b = set(one.keys), set(other.keys)
    return bool(a and b) and (a <= b or b <= a)


def _among(name: Name, names: Iterable[Name]) -> bool:
    return any(is_same(name, other) for other in names)


# --- negation and opposites -----------------------------------------------------------------------------------------


def turned_negation(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find a denial in the claim that the sentences affirm, or the reverse."""
    near = closest(claim, sentences)
    cues = {negation.cue for sentence in sentences for negation in sentence.negations}
    named = {key for name in claim.names for key in name.keys}
    for negation in claim.negations:
        if negation.cue in cues and negation.scope <= named:
            continue  # "neither A nor B" for "neither country"
        if any(_turned(negation, claim, sentence) for sentence in near):
            head = _head(negation, claim)
            if all(head not in sentence.content or _turned(negation, claim, sentence) for sentence in sentences):
                return f"the answer says “{negation.cue}” where the cited sentence does not"
    for sentence in near:
        for negation in sentence.negations:
            if not _turned(negation, sentence, claim):
                continue
            if all(_turned(negation, sentence, claim, other) for other in sentences):
                return f"the cited sentence says “{negation.cue}” and the answer does not"
    return None


def _head(negation: Negation, owner: Facts) -> str:
    """Give the first word under the negation that is no name, else its first word."""
    named = {key for name in owner.names for key in name.keys}
    after = (w.key for w in owner.words if w.start > negation.start and w.key in negation.scope and w.key not in named)
    return next(after, negation.head)


@lru_cache(maxsize=4096)
def _polarity(read: Facts) -> dict[str, frozenset[bool]]:
    """For every content word, whether it stands affirmed (True), denied (False) or both; two negations affirm."""
    found: dict[str, frozenset[bool]] = {}
    for word in read.words:
        if word.content:
            covering = sum(n.start < word.start < n.end and word.key in n.scope for n in read.negations)
            found[word.key] = found.get(word.key, frozenset()) | {covering % 2 == 0}
    return found


def _turned(negation: Negation, owner: Facts, other: Facts, third: Facts | None = None) -> bool:
    """Whether `other` has the head of the owner's negation, or most of its scope, with the opposite polarity.

    With a `third` text: whether that one does not side with `other` either.
    """
    mine, theirs = _polarity(owner), _polarity(other)
    if third is not None:
        head = _head(negation, owner)
        return not (_polarity(third).get(head, frozenset()) & theirs.get(head, frozenset()))
    shared = [key for key in negation.scope if key in theirs]
    against = [key for key in shared if not mine[key] & theirs[key]]
    if any(mine[key] & theirs[key] == {False} for key in shared):
        return False
    head = _head(negation, owner)
    if head in shared:
        return head in against and not _said_otherwise(head, other)
    most = len(against) >= _SHORT_SCOPE and 3 * len(against) >= 2 * len(negation.scope) and len(against) == len(shared)
    return most and not _said_otherwise(head, other)


def _said_otherwise(head: str, other: Facts) -> bool:
    """Whether `other` says what is negated by a prefix ("unsafe") or by an opposite ("weak" for "not strong")."""
    places = {(pair, 1 - side) for pair, side in _SIDE.get(head, ())}
    for word in other.words:
        if any(place in places for place in _SIDE.get(word.key, ())):
            return True
        for prefix in _PREFIXES:
            if word.lower.startswith(prefix) and stem(word.lower[len(prefix) :]) == head:
                return True
    return False


def turned_opposite(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "less" for "more", "fell" for "rose", "unsafe" for "safe", where all else agrees."""
    for sentence in closest(claim, sentences):
        if overlap(claim, sentence) < 0.6:
            continue
        for word in claim.words:
            against = _opposite(word, claim, sentence, sentences)
            if against is not None and not _excused(word, against, claim, sentence):
                return f"the answer says “{word.text}” where the cited sentence says “{against.text}”"
    return None


def _opposite(word: Word, claim: Facts, sentence: Facts, sentences: Sequence[Facts]) -> Word | None:
    """Give the word of `sentence` that says the opposite of a claim's word which no sentence has."""
    keys = {w.key for s in sentences for w in s.words}
    if word.key in keys:
        return None
    places = set(_SIDE.get(word.key, ()))
    if any(place in places for key in keys for place in _SIDE.get(key, ())):
        return None
    claim_keys = {w.key for w in claim.words}
    for other in sentence.words:
        if other.key in claim_keys:
            continue
        if any((pair, 1 - side) in places for pair, side in _SIDE.get(other.key, ())):
            return other
        if _prefixed(word.lower, other.lower) or _prefixed(other.lower, word.lower):
            return other
    return None


def _prefixed(long: str, short: str) -> bool:
    """Whether `long` is `short` with a negative prefix, endings aside."""
    return len(short) > 3 and any(
        long.startswith(prefix) and stem(long[len(prefix) :]) == stem(short) for prefix in _PREFIXES
    )


def _excused(word: Word, against: Word, claim: Facts, sentence: Facts) -> bool:
    """Whether the turn is undone: by a negation on one side ("did not fall"), or by the order ("B before A")."""
    if _under(word, claim) != _under(against, sentence):
        return True
    pairs = {pair for pair, _ in _SIDE.get(word.key, ())} & {pair for pair, _ in _SIDE.get(against.key, ())}
    if not pairs & _CONVERSE:
        return False
    left, right = _around(word, claim)
    before, after = _around(against, sentence)
    return len(left & after) + len(right & before) > len(left & before) + len(right & after)


def _under(word: Word, read: Facts) -> bool:
    return any(n.start < word.start and (word.start < n.end or word.start - n.start < 8) for n in read.negations)


def _around(word: Word, read: Facts) -> tuple[set[str], set[str]]:
    """Content before and after a word; for a word that opens the sentence, the second clause counts as before."""
    left = {w.key for w in read.words if w.content and w.start < word.start}
    right = {w.key for w in read.words if w.content and w.start > word.start}
    if not left:
        left = {w.key for w in read.words if w.content and w.clause > word.clause}
        right -= left
    keys = {str(value) for q in read.quantities if q.start > word.start for value, _ in q.readings}
    return left | {str(v) for q in read.quantities if q.start < word.start for v, _ in q.readings}, right | keys


# --- who does what to whom ------------------------------------------------------------------------------------------


def swapped_roles(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "China annexed it from Russia" for "Russia annexed it from China", in active, passive and noun forms."""
    mine = _roles(claim)
    if not mine:
        return None
    theirs = [role for sentence in sentences if not _converse(claim, sentence) for role in _roles(sentence)]
    same = turned = 0
    reason = ""
    for key, agents, patients in mine:
        relevant = [(a, p) for k, a, p in theirs if k == key]
        straight = any(_meet(agents, a) and _meet(patients, p) for a, p in relevant)
        reverse = any(_meet(agents, p) and _meet(patients, a) for a, p in relevant)
        same += straight
        if reverse and not straight:
            turned += 1
            reason = f"{agents[-1].text} and {patients[0].text} have changed places"
    return reason if turned > same else None


def _converse(claim: Facts, sentence: Facts) -> bool:
    """Whether the sentence has "sell" where the claim has "buy", so that names change places by right."""
    mine, theirs = claim.content - sentence.content, sentence.content - claim.content
    places = {(pair, 1 - side) for key in theirs for pair, side in _SIDE.get(key, ()) if pair in _CONVERSE}
    return any(place in places for key in mine for place in _SIDE.get(key, ()))


def _meet(one: Sequence[Name], other: Sequence[Name]) -> bool:
    return any(_among(name, other) for name in one)


@lru_cache(maxsize=4096)
def _roles(read: Facts) -> tuple[tuple[str, tuple[Name, ...], tuple[Name, ...]], ...]:
    """For every content word between or beside two names: its stem, who does it, to whom."""
    if len(read.names) < 2:
        return ()
    found = []
    for i, word in enumerate(read.words):
        if word.content and not word.name and word.lower not in TITLES:
            role = _role(read, i)
            if role is not None:
                found.append((word.key, *role))
    return tuple(found)


def _role(read: Facts, i: int) -> tuple[tuple[Name, ...], tuple[Name, ...]] | None:
    """Agents and patients of word `i`, or None where they cannot be told or the relation works both ways."""
    names = [name for name in read.names if name not in speakers(read)]
    left = [name for name in names if name.last < i and not _broken(read, name.last, i)]
    right = [name for name in names if name.first > i and not _broken(read, i, name.first)]
    by = next((name for name in right if read.words[name.first - 1].lower == "by" or _before(read, name) == "by"), None)
    if by is not None:
        others = [name for name in right if name.first < by.first] or left[-1:]
        return ((by,), _group(read, others[0])) if others else None
    if not left or not right:
        return None
    if _passive(read, i) and read.words[right[0].first - 1].lower not in ("to", "from"):
        return None
    if _symmetric(read, left[-1], right[0]) or (left[-1].possessive and right[0].first == i + 1):
        return None
    return _group(read, left[-1]), _group(read, right[0])


def _before(read: Facts, name: Name) -> str:
    """Give the word before a name, articles and titles left out; "" where a mark or a number stands between."""
    i, start = name.first - 1, name.start
    while i >= 0 and not read.text[read.words[i].end : start].strip(" \"“‘'"):
        if read.words[i].lower not in ("the", "a", "an") and read.words[i].lower not in TITLES:
            return read.words[i].lower
        i, start = i - 1, read.words[i].start
    return ""


def _broken(read: Facts, i: int, j: int) -> bool:
    """Whether a strong clause boundary stands between words `i` and `j`."""
    between = read.text[read.words[i].end : read.words[j].start]
    return bool(re.search(r"[;:—–]|[.!?]\s", between)) or any(w.lower in _STRONG for w in read.words[i + 1 : j])


def _passive(read: Facts, i: int) -> bool:
    word = read.words[i]
    formed = word.lower.endswith(("ed", "en", "wn", "ld", "ght", "nt", "st", "de"))
    return formed and any(w.lower in _PASSIVE for w in read.words[max(0, i - 3) : i])


def _symmetric(read: Facts, left: Name, right: Name) -> bool:
    """Whether the names stand side by side ("A with B", "between A and B", "A and B")."""
    return _before(read, right) in ("with", "between", "and", "or", "as", "than") or _before(read, left) == "between"


def _group(read: Facts, name: Name) -> tuple[Name, ...]:
    """Give the name with those coordinated with it: "A, B and C"."""
    groups = [group for group in _groups(read) if name in group]
    return groups[0] if groups else (name,)


@lru_cache(maxsize=4096)
def _groups(read: Facts) -> tuple[tuple[Name, ...], ...]:
    """Names joined by "and", "or" and commas."""
    groups: list[list[Name]] = []
    for name in read.names:
        last = groups[-1][-1] if groups else None
        between = read.text[last.end : name.start] if last is not None else "."
        if re.fullmatch(r"\s*(?:,|,?\s*(?:and|or|&)(?:\s+the)?|,\s*the)\s*|[-–]", between):
            groups[-1].append(name)
        else:
            groups.append([name])
    return tuple(tuple(group) for group in groups)


def turned_direction(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "from A to B" for "from B to A", with names or numbers."""
    for start, end in _directions(claim):
        for sentence in sentences:
            pairs = _directions(sentence)
            straight = any(_alike(start, a) and _alike(end, b) for a, b in pairs)
            if not straight and any(_alike(start, b) and _alike(end, a) for a, b in pairs):
                return f"“from {start.text} to {end.text}” is the other way round in the cited sentence"
    return None


def _alike(one: Name | Quantity, other: Name | Quantity) -> bool:
    if isinstance(one, Name) and isinstance(other, Name):
        return is_same(one, other)
    return isinstance(one, Quantity) and isinstance(other, Quantity) and follows(one, other)


@lru_cache(maxsize=4096)
def _directions(read: Facts) -> tuple[tuple[Name | Quantity, Name | Quantity], ...]:
    """Give the names or numbers after "from" and the next "to"."""
    things: list[Name | Quantity] = sorted([*read.names, *read.quantities], key=lambda thing: thing.start)
    found = []
    for one, other in pairwise(things):
        before = read.text[: one.start].casefold().split()[-2:]
        between = read.text[one.end : other.start].casefold().split()
        if "from" in before and between[-1:] and ("to" in between[-2:] or "until" in between[-2:]):
            found.append((one, other))
    return tuple(found)


def other_office(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "Peru's president, Ana Couto" where the sentence says "Brazil's president, Ana Couto"."""
    for holder, person in _offices(claim):
        theirs = [h for sentence in sentences for h, p in _offices(sentence) if is_same(p, person)]
        if theirs and not _among(holder, theirs):
            return f"the cited sentence ties {person.text} to {theirs[0].text}, not to {holder.text}"
    return None


@lru_cache(maxsize=4096)
def _offices(read: Facts) -> tuple[tuple[Name, Name], ...]:
    """Give (country, person): "Brazil's president, X", "the Brazilian president X", "X, president of Brazil"."""
    found = []
    for one, other in pairwise(read.names):
        between = read.words[one.last + 1 : other.first]
        titles = [word for word in between if word.lower in TITLES]
        rest = [word for word in between if word.lower not in TITLES and word.lower not in ("the", "a", "an")]
        if not titles or re.search(r"[;:.]\s|\band\b", read.text[one.end : other.start]):
            continue
        if not rest and (one.possessive or not re.search(r"^\s*,", read.text[one.end :])):
            found.append((one, other))
        elif [word.lower for word in rest] == ["of"] and read.text[one.end :].lstrip().startswith(","):
            found.append((other, one))
    return tuple(found)


def other_possessor(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "Beijing's domain" where the only domain in the sentences is "Russia's"."""
    owners: dict[str, list[Name | None]] = {}
    for sentence in sentences:
        belongs = dict(_possessions(sentence))
        for i, word in enumerate(sentence.words):
            if word.content:
                owners.setdefault(word.key, []).append(belongs.get(i))
    for i, owner in _possessions(claim):
        theirs = owners.get(claim.words[i].key, [])
        if len(theirs) == 1 and theirs[0] is not None and not is_same(owner, theirs[0]):
            return f"the cited sentence says this of {theirs[0].text}, not of {owner.text}"
    return None


@lru_cache(maxsize=4096)
def _possessions(read: Facts) -> tuple[tuple[int, Name], ...]:
    """Give the places of the words right after a possessive name, each with the name: "Russia's domain"."""
    after = [(name.last + 1, name) for name in read.names if name.possessive and name.last + 1 < len(read.words)]
    return tuple((i, name) for i, name in after if read.words[i].content and not read.words[i].name)


def other_segment(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find a name put to the words of one half of a sentence that stands, without them, in the other half alone.

    "It killed a third of the people of B" for "It killed a third of the people of A, but hardly touched B".
    """
    if len(_segments(claim)) > 1 or not claim.names:
        return None
    named = {key for name in claim.names for key in name.keys}
    rest = claim.content - named
    for sentence in closest(claim, sentences):
        parts = _segments(sentence)
        if len(parts) < 2 or any(not _among(name, sentence.names) for name in claim.names):
            continue
        shares = [_said(rest, claim, part) for part in parts]
        best = max(range(len(parts)), key=shares.__getitem__)
        if shares[best] < _SHORT_SCOPE or any(share for i, share in enumerate(shares) if i != best):
            continue
        foreign = [name for name in parts[best].names if not _among(name, claim.names)]
        later = [n for part in parts[best + 1 :] for n in part.names]
        for name in claim.names:
            if foreign and _among(name, later) and not any(_among(name, part.names) for part in parts[: best + 1]):
                return f"the cited sentence says this of {foreign[-1].text}, not of {name.text}"
    return None


def _said(rest: frozenset[str], claim: Facts, part: Facts) -> int:
    """Count the claim's words and numbers in a part of a sentence."""
    values = {value for quantity in part.quantities for value, _ in quantity.readings}
    return len(rest & part.content) + sum(any(v in values for v, _ in q.readings) for q in claim.quantities)


@lru_cache(maxsize=4096)
def _segments(read: Facts) -> tuple[Facts, ...]:
    """Split a sentence at semicolons and "while", "whereas", "but"."""
    parts = re.split(r";|,?\s\b(?:while|whereas|but|although|though)\b", read.text)
    return tuple(facts(part) for part in parts if part.strip())


def regrouped(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "Russia and Norway" for "Norway and Canada" in a sentence that has Russia elsewhere."""
    for group in _groups(claim):
        if len(group) < 2:
            continue
        for sentence in closest(claim, sentences):
            theirs = _groups(sentence)
            if any(all(_among(name, other) for name in group) for other in theirs):
                break
            split = next((o for o in theirs if len(o) > 1 and 0 < sum(_among(n, o) for n in group) < len(group)), None)
            if split is None or all(_among(name, group) for name in split):
                continue
            stray = next(name for name in group if not _among(name, split))
            rest = claim.content - {key for name in claim.names for key in name.keys}
            own = [s for s in sentences if _among(stray, s.names) and s is not sentence]
            if not any(2 * len(rest & s.content) >= len(rest) for s in own):
                return f"{stray.text} is not named together with {group[0 if group[0] is not stray else 1].text}"
    return None


def other_subject(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "China is the junior partner" where the sentence says it of Russia alone."""
    for subject, keys in _predications(claim):
        found = [
            other
            for sentence in sentences
            if len(keys & sentence.content) * 3 >= 2 * len(keys)
            for other, there in _predications(sentence)
            if len(keys & there) * 3 >= 2 * len(keys)
        ]
        if found and not any(is_same(subject, other) or _together(subject, other, sentences) for other in found):
            return f"the cited sentence says this of {found[0].text}, not of {subject.text}"
    return None


def _together(subject: Name, other: Name, sentences: Sequence[Facts]) -> bool:
    """Whether `other` stands in a group with `subject` in a sentence."""
    return any(other in group and _among(subject, group) for sentence in sentences for group in _groups(sentence))


@lru_cache(maxsize=4096)
def _predications(read: Facts) -> tuple[tuple[Name, frozenset[str]], ...]:
    """Tell what is said of a name by "is", "becomes", "as" or an apposition: (name, words of the predicate)."""
    found = []
    for i, word in enumerate(read.words):
        subject = None
        if word.lower in _BE:
            subject = _subject(read, i)
        elif word.lower in ("the", "a", "an") and i and read.text[read.words[i - 1].end : word.start].strip() == ",":
            subject = next((name for name in read.names if name.last == i - 1 and not name.possessive), None)
        keys = _predicate(read, i)
        if subject is not None and len(keys) >= 2:
            found.append((subject, keys))
        inverse = next((name for name in read.names if name.first == i + 1), None)
        if word.lower in _COPULA and inverse is not None:
            found.append((inverse, _predicate_before(read, i)))
    return tuple((name, keys) for name, keys in found if len(keys) >= _SHORT_SCOPE)


def _predicate_before(read: Facts, i: int) -> frozenset[str]:
    """Give the content words before a copula in its clause: "Its largest customer is Denmark"."""
    keys: list[str] = []
    for word in reversed(read.words[:i]):
        if word.clause != read.words[i].clause or word.name or word.lower in ("and", "that", "where", "when"):
            return frozenset() if word.name and not word.possessive else frozenset(keys)
        if word.content:
            keys.append(word.key)
    return frozenset(keys)


def _subject(read: Facts, i: int) -> Name | None:
    """Give the nearest name before word `i` in its clause that is no possessor and follows no preposition."""
    for name in reversed(read.names):
        if name.last >= i or name.possessive:
            continue
        if _broken(read, name.last, i):
            return None
        if _before(read, name) in (
            "of",
            "in",
            "by",
            "from",
            "to",
            "with",
            "for",
            "at",
            "between",
            "on",
            "near",
            "against",
        ):
            continue
        return name
    return None


def _predicate(read: Facts, i: int) -> frozenset[str]:
    """Up to four content words after word `i`, up to a preposition, a verb of saying or a boundary."""
    keys: list[str] = []
    for word in read.words[i + 1 : i + 9]:
        if word.clause != read.words[i].clause or word.lower in (
            "of",
            "in",
            "by",
            "to",
            "for",
            "as",
            "and",
            "than",
            "that",
        ):
            break
        if word.content and not word.name:
            keys.append(word.key)
        if len(keys) == 4:
            break
    return frozenset(keys)


def other_owner(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find words said of one name in the claim and of another in the sentence that has them.

    "Kask called it a bet" for "Salmi called it a bet, while Kask warned ...". Only subjects are compared: names before
    a shared word or number, not after a preposition. It fails when the first shared word after the claim's subject, or
    every shared word, has another subject; nothing is said where one text is passive and the other is not.
    """
    if any(_converse(claim, sentence) for sentence in sentences):
        return None
    mine = _owners(claim)
    shared = [key for key in mine if any(key in _owners(sentence) for sentence in sentences)]
    if len(shared) < _SHORT_SCOPE or 5 * len(shared) < 3 * len(mine):
        return None
    apart: list[Name] = []
    verdicts = []
    for key in shared:
        there = [sentence for sentence in sentences if key in _owners(sentence)]
        wrong = [_other_owners(key, mine[key], claim, sentence) for sentence in there]
        verdicts.append(all(wrong) and bool(mine[key]))
        apart += wrong[0]
    amounts = {str(v) for q in claim.quantities if q.kind == "number" for v, _ in q.readings}
    if any(key in amounts and not verdict for key, verdict in zip(shared, verdicts, strict=True)):
        return None
    if 4 * sum(verdicts) >= 3 * len(verdicts) or (verdicts[0] and mine[shared[0]] and next(iter(mine)) == shared[0]):
        subject = mine[next(key for key, verdict in zip(shared, verdicts, strict=True) if verdict)][-1]
        return f"the cited sentence says this of {apart[0].text}, not of {subject.text}"
    return None


def _other_owners(key: str, mine: Sequence[Name], claim: Facts, sentence: Facts) -> list[Name]:
    """Give the subjects that the sentence has for a word in place of `mine`; none if it may mean these after all."""
    theirs = [
        name for name in _owners(sentence)[key] if not name.doubtful or name.text.casefold() not in claim.lower_words
    ]
    if all(name.possessive for name in theirs) and not any(name.possessive for name in mine):
        return []
    if not theirs or _meet(mine, theirs) or (key in _passives(claim)) != (key in _passives(sentence)):
        return []
    start = theirs[-1].start
    attached = [n for n in sentence.names if n.start < start and _before(sentence, n) in ("of", "at", "for", "from")]
    placed = [
        n for n in sentence.names if _before(sentence, n) in ("in", "of", "at", "for") and _near(sentence, key, n)
    ]
    if _meet(mine, placed):
        return []
    acting = [name for name in sentence.names if _before(sentence, name) == "by"]
    if _meet(mine, acting) or (_meet(mine, attached) and len(theirs) == 1 and theirs[0].doubtful):
        return []
    return theirs


def _near(read: Facts, key: str, name: Name) -> bool:
    """Whether a name follows a word or number in its clause: "38 million in Heilongjiang"."""
    ends = [word.end for word in read.words if word.key == key]
    ends += [q.end for q in read.quantities if any(str(value) == key for value, _ in q.readings)]
    return any(end <= name.start and not _cut(read, end, name.start) for end in ends)


@lru_cache(maxsize=4096)
def _passives(read: Facts) -> frozenset[str]:
    """Give the words that are passive participles with a form of "be"."""
    return frozenset(word.key for i, word in enumerate(read.words) if word.content and _passive(read, i))


@lru_cache(maxsize=4096)
def _owners(read: Facts) -> dict[str, list[Name]]:
    """Give for every ordinary content word and number the subjects before it, of its own clause if that has any."""
    subjects = [name for name in read.names if _before(read, name) not in _PREPOSITIONS - _CONJUNCTIONS]
    places = [
        (word.start, word.key) for word in read.words if word.content and not word.name and word.lower not in TITLES
    ]
    places += [(q.start, str(value)) for q in read.quantities for value, unit in q.readings if unit != "ordinal"]
    found: dict[str, list[Name]] = {}
    for start, key in sorted(places):
        before = [name for name in subjects if name.end <= start]
        own = [name for name in before if not _cut(read, name.end, start)]
        found.setdefault(key, []).extend(_antecedent(read, start) or own or before)
    return found


def _antecedent(read: Facts, at: int) -> list[Name]:
    """Give the name that a relative clause around character `at` belongs to: "Brazil, whose output is rising"."""
    words = [word for word in read.words if word.start < at]
    opener = next((word for word in reversed(words) if word.lower in _STRONG), None)
    if opener is None or opener.lower not in _RELATIVE:
        return []
    owner = [n for n in read.names if n.end < opener.start and read.text[n.end : opener.start].strip() in ("", ",")]
    return owner + [name for name in read.names if opener.end < name.start and name.end < at]


def _cut(read: Facts, start: int, end: int) -> bool:
    """Whether a new clause with a subject of its own may begin between two characters."""
    return bool(re.search(r"[;—–]|[.!?]\s", read.text[start:end])) or any(
        w.lower in _STRONG for w in read.words if start <= w.start < end
    )


def compared(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find a comparison whose sides have changed places: "males are larger than females"."""
    mine = _comparison(claim)
    if mine is None:
        return None
    for sentence in closest(claim, sentences):
        theirs = _comparison(sentence)
        if theirs is None or theirs[1] & mine[1] or not theirs[1] & mine[0]:
            continue
        ends = theirs[1] | mine[1]
        keys = {place for w in sentence.words if w.key not in ends for place in _SIDE.get(w.key, ())}
        own = (place for w in claim.words if w.key not in ends for place in _SIDE.get(w.key, ()))
        if not any((pair, 1 - side) in keys for pair, side in own):
            return "the two sides of the comparison have changed places"
    return None


def _comparison(read: Facts) -> tuple[frozenset[str], frozenset[str]] | None:
    """Give the words before "than" (or the second "as") and up to two content words after it."""
    for i, word in enumerate(read.words):
        earlier = any(w.lower == "as" for w in read.words[max(0, i - 4) : i])
        if (word.lower == "than" and (not i or read.words[i - 1].lower != "rather")) or (
            word.lower == "as" and earlier
        ):
            after = [w.key for w in read.words[i + 1 :] if w.content and w.clause == word.clause][:2]
            before = frozenset(w.key for w in read.words[:i] if w.content)
            if len(after) == 2 and {after[0]} & before and not {after[1]} - before:
                after = after[:1]  # "exports to A are larger than exports to B": the first word decides
            return (before, frozenset(after)) if after else None
    return None


# --- who says it ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def speakers(read: Facts) -> tuple[Name, ...]:
    """Give the names that the sentence quotes: "X argues", "according to X", "described by X", "X's view"."""
    found = []
    apposed = _apposed_speakers(read)
    for name in read.names:
        if any(name.start > head.end and name.end < end for head, end in apposed):
            continue  # "Denisov, the ambassador to China, said": China says nothing
        after = read.words[name.last + 1 : name.last + 4]
        before = _before(read, name)
        earlier = {w.key for w in read.words[max(0, name.first - 8) : name.first]}
        if name.possessive:
            said = bool(after) and after[0].key in _VIEWS
        elif before == "by":
            said = bool(earlier & _SAYING)
        elif before == "to" and "according" in {w.lower for w in read.words[max(0, name.first - 4) : name.first]}:
            said = True
        else:
            said = _speaks(read, name, after) or any(name is head for head, _ in apposed)
        if said and before in _PREPOSITIONS - {"by", "to"}:
            found += [_subject(read, name.first) or name]
        elif said:
            found.append(name)
    return tuple(found)


_APPOSITION = re.compile(
    r"\s*,\s+([^\W\d_A-Z][^;:.]{2,120}?),\s+(?:[^\W\d_]+ly\s+|also\s+|has\s+|had\s+)?(?=[^\W\d_]+)"
)


@lru_cache(maxsize=4096)
def _apposed_speakers(read: Facts) -> tuple[tuple[Name, int], ...]:
    """Give each name with an apposition before its verb of saying, and where that verb begins.

    Not "Russia, once dominant, says Hawn", where the speaker follows.
    """
    found = []
    for name in read.names:
        match = _APPOSITION.match(read.text, name.end)
        if match is None or name.possessive or _before(read, name) in _PREPOSITIONS:
            continue
        verb = next((word for word in read.words if word.start == match.end()), None)
        if verb is None or verb.key not in _SAYING or any(n.start == verb.end + 1 for n in read.names):
            continue
        if not any(w.key in _SAYING for w in read.words if name.end < w.start < verb.start):
            found.append((name, verb.start))
    return tuple(found)


def _speaks(read: Facts, name: Name, after: Sequence[Word]) -> bool:
    """Whether a verb of saying follows the name at once, or stands right before it at a clause's end."""
    for word in after:
        if word.key in _SAYING and not read.text[name.end : word.start].strip(" ,)’'" + _LETTERS):
            return not any(w.lower in _PASSIVE for w in after)
        if not word.lower.endswith("ly") and word.lower not in _BEFORE_SAYING:
            break
    if name.first == 0 or read.words[name.first - 1].key not in _SAYING:
        return False
    verb = read.words[name.first - 1]
    closing = re.match(r"\s*[,.;”\"]|\s*$", read.text[name.end :])
    opened = name.first == 1 or read.text[: verb.start].rstrip().endswith((",", "”", '"', "’"))
    return closing is not None and opened


def misattributed(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """Find "Hecker argues" where the sentence gives the words to somebody else by name."""
    mine = speakers(claim)
    if not mine:
        return None
    near = closest(claim, sentences)
    theirs = [name for sentence in near for name in speakers(sentence)]
    if theirs and not any(_among(name, theirs) for name in mine):
        return f"the cited sentence attributes this to {theirs[0].text}, not to {mine[0].text}"
    return None


# --- which number belongs to which name or date ---------------------------------------------------------------------


def crossed(claim: Facts, sentence: Facts) -> str | None:
    """Find a number of the claim tied to a name or date that the sentence ties to another number of the same sort."""
    for quantity in claim.quantities:
        there = [q for q in sentence.quantities if follows(quantity, q)]
        if len(there) != 1:
            continue
        rivals = [q for q in sentence.quantities if _same_sort(q, there[0]) and q is not there[0]]
        if not rivals or _in_range(claim, quantity):
            continue
        for rank, anchor in enumerate(_anchors(claim, quantity)):
            places, others = _places(anchor, sentence)
            spots: list[Name | Quantity] = [*places, *others]
            nearest = min(spots, key=lambda spot: _cost(sentence, there[0], spot), default=None)
            if rank:
                others = [other for other in others if not _claimed(other, claim)]
            if _loose(claim, quantity, anchor):
                continue
            if places and all(_prefers(sentence, there[0], place, rivals, others) for place in places):
                return f"{quantity.text} and {anchor.text} do not belong together in the cited sentence"
            if nearest in places and len(spots) > len(places):
                break
    return None


def _loose(claim: Facts, quantity: Quantity, anchor: Name | Quantity) -> bool:
    """Whether the claim itself ties the number to another name, and the name to another number."""
    rivals = [q for q in claim.quantities if _same_sort(q, quantity) and q is not quantity]
    _, others = _places(anchor, claim)
    return _prefers(claim, quantity, anchor, rivals, others)


def _claimed(anchor: Name | Quantity, claim: Facts) -> bool:
    """Whether the claim has the name or date too."""
    if isinstance(anchor, Name):
        return _among(anchor, claim.names)
    return any(follows(own, anchor) for own in claim.quantities)


def _same_sort(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities answer the same kind of question."""
    if one.kind != other.kind:
        return False
    return one.kind == "date" or bool({u for _, u in one.readings} & {u for _, u in other.readings})


def _anchors(claim: Facts, quantity: Quantity) -> list[Name | Quantity]:
    """Give the names and dates of the claim, nearest to the quantity first."""
    near: list[Name | Quantity] = [*claim.names]
    near += [q for q in claim.quantities if (q.kind == "date") != (quantity.kind == "date")]
    return sorted(near, key=lambda other: _cost(claim, quantity, other))


def _cost(read: Facts, one: Name | Quantity, other: Name | Quantity) -> float:
    """Words between two spans, with eight more for each comma or clause boundary between them."""
    left, right = sorted(((one.start, one.end), (other.start, other.end)))
    between = read.text[left[1] : right[0]]
    boundaries = len(re.findall(r"[,;:—–()](?!\d)", between))
    boundaries += sum(left[1] <= w.start < right[0] and w.lower in (*_STRONG, "and", "to") for w in read.words)
    return len(between.split()) + 8 * boundaries


def _places(anchor: Name | Quantity, sentence: Facts) -> tuple[list[Name | Quantity], list[Name | Quantity]]:
    """Where the anchor stands in the sentence, and the other anchors of the same kind."""
    if isinstance(anchor, Name):
        here = [name for name in sentence.names if is_same(anchor, name)]
        kin = {name for spot in here for name in _group(sentence, spot)}
        return [*here], [name for name in sentence.names if name not in kin and name not in here]
    dates = [q for q in sentence.quantities if (q.kind == "date") == (anchor.kind == "date")]
    spots = [q for q in dates if follows(anchor, q)]
    return [*spots], [q for q in dates if q not in spots]


def _prefers(
    sentence: Facts,
    quantity: Quantity,
    place: Name | Quantity,
    rivals: Sequence[Quantity],
    others: Sequence[Name | Quantity],
) -> bool:
    """Whether the sentence pairs `quantity` with another anchor and `place` with another quantity."""
    cost = _cost(sentence, quantity, place)
    taken = [rival for rival in rivals if _cost(sentence, rival, place) < cost]
    if not taken:
        return False
    if any(_cost(sentence, quantity, other) < cost for other in others):
        return True
    return any(quantity.start < rival.start < place.start and not _ranged(sentence, quantity, rival) for rival in taken)


def _in_range(read: Facts, quantity: Quantity) -> bool:
    """Whether a quantity is one end of a range."""
    return any(_ranged(read, *pair) for pair in pairwise(read.quantities) if quantity in pair)


def _ranged(sentence: Facts, one: Quantity, other: Quantity) -> bool:
    """Whether two quantities are the ends of one range."""
    return sentence.text[one.end : other.start].strip() in ("-", "–", "—", "to", "and", "or")


COMPARISONS = (
    regrouped,
    compared,
    turned_direction,
    swapped_roles,
    other_subject,
    other_office,
    other_possessor,
    other_segment,
    misattributed,
    other_owner,
)
