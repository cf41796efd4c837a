"""What a sentence states, as far as it can be read off without a model: its words, names, numbers and negations.

Decisions, all of them tested:

- A **name** is a run of capitalised words, joined by "of" or "of the" ("Treaty of Beijing"), without possessive "'s".
  Titles ("President", "Professor") and adjectives of nationality before a person end a run. A capitalised word at the
  beginning of a sentence is a name unless it is a function word, looks like an ordinary word (a list and a few
  endings), or occurs in lower case somewhere in the texts it is compared with (`names`, argument `lower_words`).
- **Demonyms** fold to their country ("Russian", "Russians" → russia; "U.S.", "USA", "American" → united-states;
  "Sino-" → china). Capitals and governments do not: Moscow, the Kremlin and Russia are three names.
- **Content words** are compared by their Snowball stem after a few irregular forms ("grew" → grow) and British and
  American spellings have been brought together; function words are left out.
- A **negation** is a cue and the words it most likely covers: those after it up to the next clause boundary, at most
  eight of them. "Not only" and its like are no negation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

import Stemmer

from rag_geo.text.quantities import MONTHS, WEEKDAYS, Quantity, listed, quantities, tokens

_FUNCTION = frozenset(
    listed("""a about above after again against all almost also although always am among an and another any are around
    as     at away back be became because become becomes becoming been before being below between both but by can could
    did do does doing done down during each either else even ever every few for from further had has have having
    he hence her here hers herself him himself his how however i if in indeed instead into is it its itself just
    least less let like many may me might mine more most much must my myself near neither no nor not now of off
    often on once one ones only onto or other others our ours ourselves out over own per perhaps quite rather
    same several shall she should since so some still such than that the their theirs them themselves then there
    therefore these they this those though through throughout thus to together too toward towards under unless
    until up upon us very via was we were what when where whereas whether which while who whom whose why will
    with within without would yet yes you your yours yourself despite according meanwhile moreover nevertheless
    nonetheless furthermore additionally finally recently currently today yesterday tomorrow ago already eg ie
    etc""")
)
TITLES = frozenset(
    listed("""president prime minister foreign finance defence defense secretary general chancellor king queen prince
    princess senator professor doctor dr mr mrs ms sir lord lady chairman chairwoman chair director ambassador
    premier leader former vice deputy governor mayor judge justice captain colonel admiral marshal author expert
    analyst economist historian journalist researcher spokesman spokeswoman""")
)
_ORDINARY = frozenset(
    listed("""analysts analyst author authors experts expert officials official observers critics supporters scientists
    people politicians leaders leader countries country nations nation states governments government companies
    company firms relations relationship ties trade exports imports investment oil gas energy military forces
    troops war peace power powers talks treaty border summit article text passage report reports study research
    researchers results data trust mistrust sanctions sales demand supply prices growth workers students members
    women men children man woman police residents voters farmers doctors patients animals plants birds fish
    water food air light heat rain snow wind money banks markets market taxes income costs cost rates rate
    figures numbers history science art music books language languages schools school universities hospitals
    cities city towns villages village houses homes roads ships ship aircraft trains cars engines machines
    computers software users work life death birth time winter summer spring autumn night day year years months
    weeks days hours half part parts most more less fewer long short new old big small great large high low
    strong weak good bad early late modern ancient public private local national international global regional
    domestic economic political cultural social historical strategic nuclear annual total average high higher
    lower close closer joint common overall next last previous early second third based given led made named
    known born founded built located later soon afterwards called used found taken written seen held due thanks""")
)
_ORDINARY_ENDING = re.compile(
    r".{3,}(?:tion|tions|sion|sions|ment|ments|ness|ities|ship|ships|ingly|ically|ously|fully|ively|isms?|ologists?|"
    r"[^n]ists|.{3}ers|.{3}[ncr]al|ised|ized|ated|ating|ifying)$"
)
_IRREGULAR = {
    form: base
    for line in listed(
        """grow grew grown growth;fall fell fallen;rise rose risen;say said;lead led;take took taken;make made;sell
    sold sale sales;buy bought;begin began begun;build built;come came;give gave given;hold held;keep kept;lose
    lost loss losses;meet met;send sent;speak spoke spoken;stand stood;think thought;tell told;understand
    understood;go went gone;win won;write wrote written;leave left;pay paid;break broke broken;draw drew
    drawn;drive drove driven;fight fought;know knew known;see saw seen;seek sought;spend spent;strike
    struck;teach taught;throw threw thrown;man men;woman women;person people;child children;invade invasion
    invasions;expand expansion;bear born;choose chose chosen choice;decide decision decisions;fly flew flown
    flight flights;freeze froze frozen;hide hid hidden;lie lay;shoot shot;sink sank sunk;swim swam;wear wore
    worn;bring brought;catch caught;feel felt;shrink shrank shrunk;eat ate eaten;forget forgot forgotten;fail
    failure failures;big bigger biggest;large larger largest;small smaller smallest;high higher highest;low
    lower lowest;strong stronger strongest;weak weaker weakest;old older oldest;young younger youngest;early
    earlier earliest;late later latest;long longer longest;short shorter shortest;rich richer richest;poor
    poorer poorest;wide wider widest;near nearer nearest;close closer closest;deep deeper deepest;warm warmer
    warmest;cold colder coldest;heavy heavier heaviest;light lighter lightest;fast faster fastest;slow slower
    slowest;great greater greatest;new newer newest;hot hotter hottest;tall taller tallest;cheap cheaper
    cheapest;find found;prove proof;believe belief beliefs;analyze analyse analysed analyses;organization
    organisation;center centre centred centers centres;defense defence;program programme programmes;harbor
    harbour;labor labour;neighbor neighbour neighbours neighbouring;catalog catalogue;gray grey;plow plough;tire
    tyre;judgment judgement;traveler traveller;license licence""",
        ";",
    )
    for base, *forms in [line.split()]
    for form in (base, *forms)
}
_DEMONYMS = {
    form: country
    for line in listed(
        """russia russian russians;china chinese sino;senegal senegalese;nepal nepalese nepali;united-states us usa
    american americans america;united-kingdom uk british britain briton britons;soviet-union ussr soviet
    soviets;european-union eu;united-nations un;europe european europeans;africa african africans;asia asian
    asians;france french;germany german germans;italy italian italians;spain spanish spaniard spaniards;portugal
    portuguese;poland polish pole poles;ukraine ukrainian ukrainians;belarus belarusian belarusians;japan
    japanese;korea korean koreans;india indian indians;pakistan pakistani pakistanis;iran iranian iranians;iraq
    iraqi iraqis;israel israeli israelis;egypt egyptian egyptians;turkey turkish turks turkiye;greece greek
    greeks;norway norwegian norwegians;sweden swedish swede swedes;finland finnish finn finns;denmark danish
    dane danes;iceland icelandic icelanders;netherlands dutch;belgium belgian belgians;switzerland swiss;austria
    austrian austrians;hungary hungarian hungarians;czechia czech czechs;slovakia slovak slovaks;romania
    romanian romanians;bulgaria bulgarian bulgarians;serbia serbian serbs;croatia croatian croats;canada
    canadian canadians;mexico mexican mexicans;brazil brazilian brazilians;argentina argentine argentinian;chile
    chilean chileans;peru peruvian peruvians;colombia colombian colombians;venezuela venezuelan venezuelans;cuba
    cuban cubans;australia australian australians;vietnam vietnamese;thailand thai thais;indonesia indonesian
    indonesians;malaysia malaysian malaysians;philippines philippine filipino filipinos;mongolia mongolian
    mongolians mongols;kazakhstan kazakh kazakhs;uzbekistan uzbek uzbeks;georgia georgian georgians;armenia
    armenian armenians;azerbaijan azerbaijani azeri;afghanistan afghan afghans;syria syrian syrians;lebanon
    lebanese;arabia arabian;ethiopia ethiopian ethiopians;kenya kenyan kenyans;nigeria nigerian nigerians;ghana
    ghanaian;algeria algerian;morocco moroccan moroccans;libya libyan;sudan sudanese;ireland irish;scotland
    scottish scots;wales welsh;england english;estonia estonian estonians;latvia latvian latvians;lithuania
    lithuanian lithuanians;west western westerners;east eastern;north northern;south southern;taiwan
    taiwanese;tibet tibetan tibetans;siberia siberian;rome roman romans;byzantium byzantine;eurasia
    eurasian;arctic;baltic;ottoman ottomans""",
        ";",
    )
    for country, *forms in [line.split()]
    for form in (country, *forms)
}
_PHRASES = {
    ("united", "states", "of", "america"): "united-states",
    ("united", "states"): "united-states",
    ("united", "kingdom"): "united-kingdom",
    ("great", "britain"): "united-kingdom",
    ("united", "nations"): "united-nations",
    ("european", "union"): "european-union",
    ("soviet", "union"): "soviet-union",
    ("people's", "republic", "of", "china"): "china",
    ("russian", "federation"): "russia",
}
_UPPER_ONLY = frozenset({"us", "un", "eu", "uk", "pole", "poles", "who", "it", "turkey", "turks", "polish"})
_CUES = frozenset(
    listed("""not no never nor neither none nobody nothing nowhere without cannot hardly scarcely barely rarely seldom
    unlikely improbable deny denied denies denying refuse refused refuses refusing fail failed fails failing
    lack lacks lacked lacking reject rejected rejects rejecting rejects dispute disputed disputes""")
)
_NO_CUE_BEFORE = frozenset({"only", "just", "merely", "simply", "doubt", "least", "solely", "matter"})
_BOUNDARY = frozenset(
    listed(""", ; : — – ( ) " “ ” . ! ? but because although though while whereas which who whose since so and yet
    unless     until however therefore when compared""")
)
_SOFT = frozenset(
    listed("""longer yet be been being any more at all to do does did have has had a an the of in on for""")
)
_MAX_SCOPE = 8
_stemmer = Stemmer.Stemmer("english", 0)
_stemmer_lock = Lock()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence: characters ``[start, end)``, `lower` without "'s", its `key` for comparing.

    `key` is the stem, or for a name its folded form. `spaced` says that white space stands before it; `clause`
    counts the clauses of the sentence from 0.
    """

    text: str
    start: int
    end: int
    lower: str
    key: str
    content: bool
    capital: bool
    possessive: bool
    initial: bool
    spaced: bool
    name: bool
    clause: int


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name as written, with its folded words; `doubtful` if it is one word that begins a sentence."""

    text: str
    start: int
    end: int
    keys: tuple[str, ...]
    first: int
    last: int
    doubtful: bool
    possessive: bool
    clause: int


@dataclass(frozen=True, slots=True)
class Negation:
    """A cue and the keys of what it covers, up to character `end`; the first is `head` ("" if it covers nothing)."""

    cue: str
    start: int
    end: int
    head: str
    scope: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: the same text gives the same object
class Facts:
    """All that is read off one text. `content` are the keys of its content words, names included, numbers not."""

    text: str
    words: tuple[Word, ...]
    names: tuple[Name, ...]
    quantities: tuple[Quantity, ...]
    negations: tuple[Negation, ...]
    content: frozenset[str]
    lower_words: frozenset[str]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Give the form under which inflections and spellings of one word are the same; `word` is case folded."""
    word = _IRREGULAR.get(word, word)
    if len(word) > 5:
        word = re.sub(r"^(.{4,})is(ation|ations|e|es|ed|ing)$", r"\1iz\2", word)
        word = re.sub(r"our(s|ed|ing|able|ful|ite)?$", r"or\1", word)
    try:
        with _stemmer_lock:
            return str(_stemmer.stemWord(word))
    except UnicodeEncodeError:
        return word  # halves of characters, as in a question of bytes that are no UTF-8


def fold_name(word: str) -> str:
    """Give the folded form of one word of a name: its country for a demonym, without dots, case and possessive."""
    return _DEMONYMS.get(word) or stem(word)


@lru_cache(maxsize=4096)
def facts(text: str) -> Facts:
    """Read `text`, one sentence or a few. Pure and total: any string gives a result. Cached."""
    found = tokens(text)
    numbers = quantities(text, found)
    words = _words(text, numbers)
    runs = _names(words)
    in_names = {i for name in runs for i in range(name.first, name.last + 1)}
    folded = _folded(words)
    words = tuple(_settle(word, i in in_names, folded.get(i)) for i, word in enumerate(words))
    content = frozenset(word.key for word in words if word.content)
    lower = frozenset(word.lower for word in words if not word.capital)
    return Facts(text, words, runs, numbers, _negations(text, words), content, lower)


def _settle(word: Word, name: bool, folded: str | None) -> Word:
    """Give the word its final key."""
    key = folded if folded is not None else fold_name(word.lower) if name else word.key
    return replace(word, key=key, content=word.content or name, name=name)


def _words(text: str, numbers: Iterable[Quantity]) -> tuple[Word, ...]:
    """Give the words outside numbers and dates, with clause numbers and sentence beginnings."""
    taken = [(quantity.start, quantity.end) for quantity in numbers]
    found: list[Word] = []
    clause, initial, at = 0, True, 0
    for token in tokens(text):
        while at < len(taken) and taken[at][1] <= token.start:
            at += 1
        if at < len(taken) and taken[at][0] <= token.start:
            initial = False
            continue
        if token.kind != "word":
            clause += token.lower in _BOUNDARY
            initial = token.text in ".!?:" or (initial and token.text in "\"'“‘([*#>-•")
            continue
        clause += token.lower in _BOUNDARY and token.lower != "and"
        lower, possessive = _bare(token.lower)
        content = lower not in _FUNCTION and not lower.endswith("n't") and len(lower) > 1
        capital = token.text[0].isupper()
        if capital and token.text.replace(".", "").isupper() and lower in ("us", "who", "it") and not initial:
            content = True
        key = stem(lower)
        spaced = text[token.start - 1 : token.start].isspace()
        found.append(
            Word(
                token.text,
                token.start,
                token.end,
                lower,
                key,
                content,
                capital,
                possessive,
                initial,
                spaced,
                False,
                clause,
            )
        )
        initial = False
    return tuple(found)


def _bare(lower: str) -> tuple[str, bool]:
    """Give the word without a possessive or a contracted verb, and whether there was one."""
    if lower.endswith("'s"):
        return lower[:-2], True
    for ending in ("'re", "'ve", "'ll", "'d", "'m"):
        if lower.endswith(ending):
            return lower[: -len(ending)], False
    return lower, False


def _name_like(word: Word) -> bool:
    """Whether a capitalised word may be part of a name."""
    if not word.capital or word.lower in MONTHS or word.lower in WEEKDAYS:
        return False
    if word.lower in TITLES or len(word.lower) < 2:
        return False
    if word.lower in ("us", "who", "it"):
        return word.text.replace(".", "").replace("’", "'").split("'")[0].isupper()
    if word.lower in _FUNCTION:
        return False
    return not (word.initial and _looks_ordinary(word))


def _looks_ordinary(word: Word) -> bool:
    """Whether a word that begins a sentence is most likely capitalised only for that."""
    if word.text.isupper() or word.lower in _DEMONYMS:
        return False
    return word.lower in _ORDINARY or _ORDINARY_ENDING.fullmatch(word.lower) is not None


def _names(words: tuple[Word, ...]) -> tuple[Name, ...]:
    """Give runs of name-like words."""
    found: list[Name] = []
    folded = _folded(words)
    i = 0
    while i < len(words):
        if not _name_like(words[i]):
            i += 1
            continue
        j = i
        while (step := _next_in_run(words, j)) > j:
            j = step
        found.append(_name(words, i, j, folded))
        i = j + 1
    return tuple(found)


def _adjacent(words: tuple[Word, ...], i: int, j: int) -> bool:
    """Whether only one space stands between words `i` and `j`."""
    return (
        j < len(words) and words[j].start - words[i].end == 1 and words[j].spaced and words[i].clause == words[j].clause
    )


def _next_in_run(words: tuple[Word, ...], j: int) -> int:
    """Give the index of the word that goes on with the name whose last word so far is `j`, or `j`."""
    if words[j].possessive or not _adjacent(words, j, j + 1):
        return j
    if _name_like(words[j + 1]) and not words[j + 1].initial:
        return j + 1 if not _starts_person(words, j) else j
    if words[j + 1].lower != "of" or words[j].lower in _DEMONYMS:
        return j
    k = j + 2
    if k < len(words) and words[k].lower == "the" and _adjacent(words, j + 1, k):
        k += 1
    return k if _adjacent(words, k - 1, k) and _name_like(words[k]) else j


def _starts_person(words: tuple[Word, ...], j: int) -> bool:
    """Whether word `j` is an acronym of a state before another name ("US Senator", "EU Commission" stay apart)."""
    return words[j].lower in ("us", "uk", "eu", "un", "usa") and words[j].text.replace(".", "").isupper()


def _name(words: tuple[Word, ...], i: int, j: int, folded: dict[int, str]) -> Name:
    """Give the name of words ``[i, j]``."""
    keys: list[str] = []
    for k in range(i, j + 1):
        key = folded.get(k) or fold_name(words[k].lower)
        if (words[k].lower not in _FUNCTION or k in folded or k == i) and key not in keys:
            keys.append(key)
    last = words[j]
    text = " ".join(word.text for word in words[i : j + 1])
    text = re.sub(r"[’']s$", "", text)
    doubtful = words[i].initial and i == j and not last.text.isupper() and last.lower not in _DEMONYMS
    return Name(text, words[i].start, last.end, tuple(keys), i, j, doubtful, last.possessive, words[i].clause)


def _folded(words: tuple[Word, ...]) -> dict[int, str]:
    """For words that stand in a name of several words with a folded form of its own, that form."""
    found: dict[int, str] = {}
    for i in range(len(words)):
        for phrase, key in _PHRASES.items():
            part = words[i : i + len(phrase)]
            if i in found or len(part) < len(phrase) or not part[0].capital:
                continue
            if all(word.lower == wanted.removesuffix("'s") for word, wanted in zip(part, phrase, strict=True)):
                found.update(dict.fromkeys(range(i, i + len(phrase)), key))
    return found


def names(read: Facts, lower_words: frozenset[str] = frozenset()) -> tuple[Name, ...]:
    """Give the names of a text without the doubtful ones that occur in lower case in `lower_words`."""
    return tuple(name for name in read.names if not (name.doubtful and name.text.casefold() in lower_words))


@lru_cache(maxsize=4096)
def settled(read: Facts, lower_words: frozenset[str], known: frozenset[str]) -> Facts:
    """Give the same facts without the doubtful names that are in `lower_words` or none of whose words is `known`."""
    kept = tuple(name for name in names(read, lower_words) if not name.doubtful or known.intersection(name.keys))
    return read if len(kept) == len(read.names) else replace(read, names=kept)


def _negations(text: str, words: tuple[Word, ...]) -> tuple[Negation, ...]:
    """Every negation cue with its scope."""
    found = []
    for i, word in enumerate(words):
        cue = _cue(text, words, i)
        if not cue:
            continue
        scope: list[str] = []
        end = word.end
        for k in range(i + 1 + (cue in ("instead of", "rather than")), len(words)):
            later = words[k]
            if later.clause != word.clause or later.lower in _BOUNDARY or len(scope) == _MAX_SCOPE:
                break
            end = later.end
            if later.content and later.lower not in _SOFT:
                scope.append(later.key)
        found.append(Negation(cue, word.start, end, scope[0] if scope else "", frozenset(scope)))
    return tuple(found)


def _cue(text: str, words: tuple[Word, ...], i: int) -> str:
    """Give the negation cue at word `i`, or ""."""
    lower = words[i].lower
    after = words[i + 1].lower if i + 1 < len(words) else ""
    if (lower, after) in (("instead", "of"), ("rather", "than")):
        return f"{lower} {after}"
    if not (lower in _CUES or lower.endswith("n't")) or (
        after in _NO_CUE_BEFORE and (after != "doubt" or lower == "no")
    ):
        return ""
    if lower == "nor" and any(word.lower == "neither" for word in words[:i]):
        return ""
    if lower == "no" and text[words[i].end : words[i].end + 1] == ".":
        return ""
    return lower


def acronym(name: Name) -> str:
    """Give the initials of a name of several words: "Belt and Road Initiative" as far as it is one run, case folded."""
    return "".join(part[0] for part in re.split(r"[\s-]+", name.text) if part[0].isupper()).casefold()
