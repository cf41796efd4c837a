"""What hangs together in a sentence, and whether another sentence turns it around.

Each check compares a claim with the sentences it is said to rest on and gives a reason in words, or None. They look at
the surface only: word order, prepositions, "by", the copula, clause boundaries. Each speaks up only where both texts
have the same words and put them together the other way round; what cannot be told from the surface passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rag_geo.text.facts import Facts, Name, Negation, Word, stem
from rag_geo.text.quantities import Quantity, follows

_STRONG = frozenset(
    "while whereas but although though because which who whose where compared unlike since if when".split()
)
_SHORT_SCOPE = 2
_BE = frozenset("is are was were be been being become becomes became becoming remain remains remained as".split())
_PASSIVE = frozenset("is are was were be been being get gets got".split())
_SAYING = frozenset(
    stem(word)
    for word in """say argue believe claim report write note warn expect think explain add state observe suggest
    describe call affirm predict conclude insist maintain contend remark point estimate find consider see regard
    propose recommend fear hope announce declare emphasize stress""".split()
)
_VIEWS = frozenset(
    stem(word) for word in "view account opinion argument eyes words judgment assessment estimate".split()
)
_OPPOSITES = """
more greater:less fewer; rise increase grow gain climb growth surge:fall decrease decline drop shrink; before:after;
large big great:small little; major:minor; high:low; strong:weak; strengthen:weaken; import:export; win victory:lose
defeat; buy purchase:sell; support back:oppose; accept:reject refuse; include:exclude; open:close shut; start begin
launch:end finish stop; first:last; rich wealthy:poor; old:young new; early:late; better:worse; best:worst; above:below;
most:least; majority:minority; add:remove; expand:contract shrink; allow permit:forbid ban prohibit; enter join:leave
quit; borrow:lend; attack:defend; long:short; fast quick:slow; senior:junior; safe:dangerous; success
succeed:fail; raise:lower reduce cut; lift ease:impose tighten; ally friend:enemy foe; positive:negative;
optimist:pessimist; public:private; male:female; arrive:depart; birth bear:death die; appear:disappear; agree:disagree;
approve:disapprove; superior:inferior; upper:lower; hot warm:cold cool; wet:dry; heavy:light; easy simple:difficult hard;
cheap:expensive; near close:far; deep:shallow; wide broad:narrow; north northern:south southern; east eastern:west western;
buyer:seller; creditor:debtor; surplus:deficit; always:never; inside:outside; within:beyond; common:rare; likely
probable:unlikely; possible:impossible; legal:illegal; dependent:independent; advantage:disadvantage; trust:mistrust
distrust; same:different; together:apart; rural:urban; peace:war; love:hate; build:destroy; improve:worsen
deteriorate; maximum:minimum; teacher:student; employer:employee; exporter:importer; military:civilian; temporary:permanent;
voluntary:compulsory; increase:reduce; earlier:later; faster:slower; thick:thin; full:empty; winter:summer; day:night;
hire:fire; attract:repel; widen:narrow; loosen:tighten; friendly:hostile; formal:informal; direct:indirect; man:woman
"""
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "mis")


def _sides() -> dict[str, list[tuple[int, int]]]:
    """For each stem of the table, its pairs and its side in each."""
    sides: dict[str, list[tuple[int, int]]] = {}
    for number, entry in enumerate(" ".join(_OPPOSITES.split()).split(";")):
        for side, words in enumerate(entry.split(":")):
            for word in words.split():
                sides.setdefault(stem(word), []).append((number, side))
    return sides


_SIDE = _sides()


def overlap(claim: Facts, sentence: Facts) -> float:
    """The share of the claim's content words in the sentence; 1 for a claim without any."""
    return len(claim.content & sentence.content) / len(claim.content) if claim.content else 1.0


def closest(claim: Facts, sentences: Sequence[Facts], slack: float = 0.75) -> list[Facts]:
    """The sentences with nearly the largest overlap, best first."""
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
    """A denial in the claim that the sentences affirm, or the reverse."""
    near = closest(claim, sentences)
    for negation in claim.negations:
        touched = [sentence for sentence in near if _hits(negation, claim, sentence)]
        if touched and not any(_denied(negation, sentence) for sentence in sentences):
            return f"the answer says “{negation.cue}” where the cited sentence does not"
    for sentence in near:
        for negation in sentence.negations:
            if not _hits(negation, sentence, claim) or _denied(negation, claim):
                continue
            if not any(_affirmed(negation, sentence, other) for other in sentences):
                return f"the cited sentence says “{negation.cue}” and the answer does not"
    return None


def _head(negation: Negation, owner: Facts) -> str:
    """The first word under the negation that is no name, else its first word."""
    named = {key for name in owner.names for key in name.keys}
    after = [w.key for w in owner.words if w.start > negation.start and w.key in negation.scope]
    return next((key for key in after if key not in named), negation.head)


def _positive(read: Facts) -> frozenset[str]:
    """Content words outside every negation's scope."""
    starts = [(n.start, n.scope) for n in read.negations]
    return frozenset(
        w.key for w in read.words if w.content and not any(w.start > s and w.key in scope for s, scope in starts)
    )


def _hits(negation: Negation, owner: Facts, other: Facts) -> bool:
    """Whether `other` says, unnegated, what `owner` negates: the head of the negation, or most of its scope."""
    if not negation.scope:
        return False
    positive = _positive(other)
    shared = len(negation.scope & positive)
    return _head(negation, owner) in positive or (shared >= _SHORT_SCOPE and 3 * shared >= 2 * len(negation.scope))


def _denied(negation: Negation, other: Facts) -> bool:
    """Whether `other` has a negation that covers some of the same words, or says it by prefix or opposite."""
    if any(negation.scope & n.scope or (n.cue == negation.cue and not n.scope) for n in other.negations):
        return True
    for word in other.words:
        for prefix in _PREFIXES:
            if word.lower.startswith(prefix) and stem(word.lower[len(prefix) :]) in negation.scope:
                return True
    sides = {(pair, 1 - side) for key in negation.scope for pair, side in _SIDE.get(key, ())}
    return any(place in sides for word in other.words for place in _SIDE.get(word.key, ()))


def _affirmed(negation: Negation, owner: Facts, other: Facts) -> bool:
    """Whether `other` says the head of the negation without denying it."""
    return _head(negation, owner) in _positive(other)


def turned_opposite(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """ "less" for "more", "fell" for "rose", "unsafe" for "safe", where all else agrees."""
    for sentence in closest(claim, sentences):
        if overlap(claim, sentence) < 0.5:
            continue
        for word in claim.words:
            against = _opposite(word, claim, sentence, sentences)
            if against is not None and not _excused(word, against, claim, sentence):
                return f"the answer says “{word.text}” where the cited sentence says “{against.text}”"
    return None


def _opposite(word: Word, claim: Facts, sentence: Facts, sentences: Sequence[Facts]) -> Word | None:
    """The word of `sentence` that says the opposite of a claim's word which no sentence has."""
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
    left, right = _around(word, claim)
    before, after = _around(against, sentence)
    return len(left & after) + len(right & before) > len(left & before) + len(right & after)


def _under(word: Word, read: Facts) -> bool:
    return any(n.start < word.start and (word.key in n.scope or word.start - n.start < 8) for n in read.negations)


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
    """ "China annexed it from Russia" for "Russia annexed it from China", in active, passive and noun forms."""
    mine = _roles(claim)
    if not mine:
        return None
    theirs = [role for sentence in sentences for role in _roles(sentence)]
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


def _meet(one: Sequence[Name], other: Sequence[Name]) -> bool:
    return any(_among(name, other) for name in one)


@lru_cache(maxsize=4096)
def _roles(read: Facts) -> tuple[tuple[str, tuple[Name, ...], tuple[Name, ...]], ...]:
    """For every content word between or beside two names: its stem, who does it, to whom."""
    if len(read.names) < 2:
        return ()
    found = []
    for i, word in enumerate(read.words):
        if word.content and not word.name:
            role = _role(read, i)
            if role is not None:
                found.append((word.key, *role))
    return tuple(found)


def _role(read: Facts, i: int) -> tuple[tuple[Name, ...], tuple[Name, ...]] | None:
    """Agents and patients of word `i`, or None where they cannot be told or the relation works both ways."""
    left = [name for name in read.names if name.last < i and not _broken(read, name.last, i)]
    right = [name for name in read.names if name.first > i and not _broken(read, i, name.first)]
    by = next((name for name in right if read.words[name.first - 1].lower == "by" or _before(read, name) == "by"), None)
    if by is not None:
        others = [name for name in right if name.first < by.first] or left[-1:]
        return ((by,), _group(read, others[0])) if others else None
    if not left or not right:
        return None
    if _passive(read, i) and read.words[right[0].first - 1].lower not in ("to", "from"):
        return None
    if _symmetric(read, left[-1], right[0]):
        return None
    return _group(read, left[-1]), _group(read, right[0])


def _before(read: Facts, name: Name) -> str:
    """The word before a name, articles and titles left out."""
    i = name.first - 1
    while i >= 0 and (read.words[i].lower in ("the", "a", "an") or read.words[i].capital):
        i -= 1
    return read.words[i].lower if i >= 0 else ""


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
    """The name with those coordinated with it: "A, B and C"."""
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


def regrouped(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """ "Russia and Norway" for "Norway and Canada" in a sentence that has Russia elsewhere."""
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
            if any(_among(stray, other) for other in theirs):
                return f"{stray.text} is not named together with {group[0 if group[0] is not stray else 1].text}"
    return None


def other_subject(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """ "China is the junior partner" where the sentence says it of Russia alone."""
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
    """What is said of a name by "is", "becomes", "as" or an apposition: (name, words of the predicate)."""
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
    return tuple(found)


def _subject(read: Facts, i: int) -> Name | None:
    """The nearest name before word `i` in its clause that is no possessor and follows no preposition."""
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


# --- who says it ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def speakers(read: Facts) -> tuple[Name, ...]:
    """The names to whom the sentence gives what it says: "X argues", "according to X", "described by X", "X's view"."""
    found = []
    for name in read.names:
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
            said = _speaks(read, name, after)
        if said:
            found.append(name)
    return tuple(found)


def _speaks(read: Facts, name: Name, after: Sequence[Word]) -> bool:
    """Whether a verb of saying follows the name at once (adverbs between), or stands right before it at a clause's end."""
    for word in after:
        if word.key in _SAYING and word.lower not in ("said", "noted", "seen") or word.lower == "said":
            return not any(w.lower in _PASSIVE for w in after)
        if word.content and not word.lower.endswith("ly"):
            break
    if name.first == 0 or read.words[name.first - 1].key not in _SAYING:
        return False
    verb = read.words[name.first - 1]
    closing = re.match(r"\s*[,.;”\"]|\s*$", read.text[name.end :])
    opened = name.first == 1 or read.text[: verb.start].rstrip().endswith((",", "”", '"', "’"))
    return closing is not None and opened


def misattributed(claim: Facts, sentences: Sequence[Facts]) -> str | None:
    """ "Hecker argues" where the sentence gives the words to somebody else by name."""
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
    """A number of the claim tied to a name or date that the sentence ties to another number of the same sort."""
    for quantity in claim.quantities:
        there = [q for q in sentence.quantities if follows(quantity, q)]
        if len(there) != 1:
            continue
        rivals = [q for q in sentence.quantities if _same_sort(q, there[0]) and q is not there[0]]
        if not rivals:
            continue
        anchor = _anchor(claim, quantity)
        if anchor is None:
            continue
        places, others = _places(anchor, claim, sentence)
        if places and all(_prefers(sentence, there[0], place, rivals, others) for place in places):
            text = anchor.text
            return f"{quantity.text} and {text} do not belong together in the cited sentence"
    return None


def _same_sort(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities answer the same kind of question."""
    if one.kind != other.kind:
        return False
    return one.kind == "date" or bool({u for _, u in one.readings} & {u for _, u in other.readings})


def _anchor(claim: Facts, quantity: Quantity) -> Name | Quantity | None:
    """The name or date nearest to a quantity of the claim."""
    near: list[Name | Quantity] = [*claim.names]
    near += [q for q in claim.quantities if (q.kind == "date") != (quantity.kind == "date")]
    return min(near, key=lambda other: _cost(claim, quantity, other), default=None)


def _cost(read: Facts, one: Name | Quantity, other: Name | Quantity) -> float:
    """Words between two spans, with eight more for each comma or clause boundary between them."""
    left, right = sorted(((one.start, one.end), (other.start, other.end)))
    between = read.text[left[1] : right[0]]
    boundaries = len(re.findall(r"[,;:—–()]", between))
    boundaries += sum(left[1] <= w.start < right[0] and w.lower in (*_STRONG, "and", "to") for w in read.words)
    return len(between.split()) + 8 * boundaries


def _places(
    anchor: Name | Quantity, claim: Facts, sentence: Facts
) -> tuple[list[Name | Quantity], list[Name | Quantity]]:
    """Where the anchor stands in the sentence, and the anchors of the same kind that the claim does not name there."""
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


def _ranged(sentence: Facts, one: Quantity, other: Quantity) -> bool:
    """Whether two quantities are the ends of one range."""
    return sentence.text[one.end : other.start].strip() in ("-", "–", "—", "to", "and", "or")
