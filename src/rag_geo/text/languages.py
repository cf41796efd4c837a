"""Which language a text is in, by its script, its letters and its function words; and those function words.

The lists serve twice: they tell languages with the same script apart, and they are the stop words of the word search.
They hold what carries no meaning of its own: articles, prepositions, pronouns, conjunctions, auxiliary verbs and the
words that questions begin with.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from math import sqrt

_SAMPLE = 2_000
"""Characters of each of the three samples that are looked at: beginning, middle and end of a text."""

_FUNCTION_WORDS = {
    "en": """a about above after again against all also am an and any are as at be because been before being below
        between both but by can could did do does doing down during each few for from further had has have having he
        her here hers him his how i if in into is it its itself just me more most my no nor not now of off on once
        only or other our ours out over own s same she should so some such t than that the their theirs them
        themselves then there these they this those through to too under until up us very was we were what when
        where which while who whom whose why will with would you your yours""",
    "de": """ab aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da
        dadurch damit dann das dass daß dein deine dem den denn der deren des dessen dich die dies diese diesem
        diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es etwas euch für gegen gibt
        hab habe haben hat hatte hatten hier hin ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede
        jeder jedes jener kann kein keine keinen können konnte konnten man mehr mein meine mich mir mit muss müssen
        nach nicht noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so sobald soll
        sollte sondern sowie über um und uns unser unter viel viele vom von vor war waren warum was weil welche
        welchem welchen welcher welches wem wen wenn wer werde werden wessen wie wieder will wir wird wo wodurch
        wofür woher wohin womit worden wurde wurden wann während zu zum zur zwar zwischen""",
    "es": """a al algo algunas algunos ante antes aquel aquella aquellos así aún aunque bajo bien cada como con
        contra cual cuales cualquier cuando cuanta cuantas cuanto cuantos cuál cuáles cuándo cuánta cuántas cuánto
        cuántos cómo de del desde donde dónde durante e el ella ellas ellos en entre era eran es esa ese eso esos
        esta está están estas este esto estos estaba estaban fue fueron ha había habían hace hacia han hasta hay la
        las le les lo los más me mi mientras muy nada ni no nos nosotros o os otra otras otro otros para pero poco
        por porque pues que quien quién quiénes quienes qué se según ser si sido sin sino sobre son su sus también
        tan tanto te tenía tiene tienen todo todos tras tu tuvo u un una unas uno unos y ya yo él""",
    "fr": """à afin ai ainsi alors après au aucun aucune aussi autre autres aux avait avaient avant avec avoir c car
        ce ceci cela celle celles celui ces cet cette ceux chaque chez combien comme comment d dans de depuis des
        donc dont du elle elles en encore entre est et étaient était été être eu eux fait fut furent il ils j je
        jusque l la laquelle le lequel les lesquels leur leurs lors lorsque lui m ma mais me même mes moi mon n ne
        ni non nos notre nous on ont or ou où par pas pendant peu peut plus pour pourquoi puis qu quand que quel
        quelle quelles quels qui quoi s sa sans se selon sera ses si son sont sous sur t ta te tes ton tous tout
        toute toutes très tu un une vers vos votre vous y""",
    "it": """a abbia agli ai al alcuni alcune alla alle allo altra altre altri altro anche ancora aveva avevano che
        chi ci ciò col come con contro così cosa cui da dagli dai dal dalla dalle dallo degli dei del dell della
        delle dello di dopo dove due durante e è ed era erano essere fa fino fra fu furono gli ha hanno i il in io l
        la le lei lo loro lui ma me mentre mi mia mio molto ne negli nei nel nell nella nelle nello no noi non
        nostro o ogni oltre per perché però più poi presso prima può qual quale quali quando quanta quante quanti
        quanto quasi quella quelle quelli quello questa queste questi questo qui se sei senza si sia sono sopra
        sotto stata stato stati su sua sue sugli sui sul sulla sulle suo suoi tra tu tutti tutto un una uno verso vi
        voi""",
    "pt": """a à ainda além ao aos apenas após aquela aquele aqueles as às assim até cada com como contra da das de
        dela dele deles depois desde dessa desse desta deste do dos durante e é ela elas ele eles em entre era eram
        essa esse essas esses esta está estão estas este estes estava eu foi foram há isso isto já lhe lhes mais mas
        me mesmo meu minha muito muitos na nas não nem nessa nesse nesta neste no nos nós nossa nosso num numa o
        onde os ou outra outras outro outros para pela pelas pelo pelos per pode pois por porque quais qual quando
        quanta quantas quanto quantos que quem são se sem sendo ser seu seus será si sido sob sobre sua suas só
        também tão te tem têm tinha toda todas todo todos tu tudo um uma umas uns você vocês""",
    "nl": """aan achter al alle alleen als altijd andere bij binnen daar dan dat de der deze die dit doch doen door
        dus een eens eerst elk elke en er ging had hadden heb hebben heeft hem hen het hier hij hoe hoeveel hun iets
        ik in is ja je jij jullie kan kon kunnen maar me meer men met mij mijn moet na naar nadat niet niets nog nu
        of om omdat onder ons onze ook op over reeds sinds te tegen ten ter terwijl tijdens toch toen tot tussen u
        uit uw van veel voor vanaf waar waarin waarom wanneer want waren was wat we welk welke werd werden wie wij
        wil word worden wordt zal ze zelf zich zij zijn zo zoals zonder zou zouden""",
    "ru": """а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его ее
        её ей если есть еще ещё же за здесь и из или им имел имела имели ими их к как какая какие каким какими каких
        какого какое какой каком какому какую ко когда кого кому которая которого которое которой котором которую
        которые который которых кто куда ли либо между меня мне может можно мой мы на над надо нам нас насколько не
        него нее неё ней нет ни них но ну о об один однако около он она они оно от откуда очень по под почему после
        потом при про раз с сам свой своей своего свои своих себе себя сколько со стал так такая также такие такой
        там те тем то тогда того тоже той только том тот ту ты у уже хотя чего чей чем чему через что чтобы чья эта
        эти этим этих это этого этой этом этот эту я""",
    "ar": """إذ إذا إلا التي الذي الذين اللذان اللتان اللاتي إلى أم أما أمام أن أنا أنت أنه أنها إن إنه إنها أو أي
        أية أيضا أين بأن بعد بعض بل بما بن بها به بهذا بهذه بين تحت تكون تم تلك ثم حتى حول حيث خلال دون ذات ذلك سوف
        ضد ضمن على عليه عليها عن عنه عنها عند عندما غير فإن فقد فقط في فيه فيها قبل قد كان كانت كانوا كل كلا كم كما
        كي كيف لا لأن لأنه لدى لديه لديها لقد لكن لكي لم لماذا لما لن له لها لهذا لهم لو ليس ليست ما ماذا مثل متى مع
        معظم من منذ منه منها مما نحو نفس نفسه هذا هذه هل هم هنا هناك هو هي وقد وكان وكانت ولا ولم ولكن وما ومن وهو
        وهي يتم يكون يمكن""",
    "zh": "的 了 是 在 和 与 也 都 而 及 或 着 吗 呢 吧 啊 之 于 为 把 被 从 对 以 这 那 哪 什 么 谁 何",
}

STOP_WORDS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
"""The function words of each language that has a list, in lower case with their accents."""

_SCRIPTS = {
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
    "kana": "\u3041-\u3096\u30a1-\u30fa\u30fc",
    "cyrillic": "\u0400-\u0481\u048a-\u052f",
    "arabic": "\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\ufb50-\ufdfb\ufe70-\ufefc",
    "ko": "\u1100-\u11ff\uac00-\ud7a3",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "he": "\u05d0-\u05ea",
    "hi": "\u0904-\u0939\u0958-\u0961",
    "bn": "\u0985-\u09b9",
    "ta": "\u0b85-\u0bb9",
    "te": "\u0c05-\u0c39",
    "th": "\u0e01-\u0e30\u0e40-\u0e46",
    "ka": "\u10a0-\u10ff",
    "hy": "\u0531-\u0587",
}
_LETTERS = {script: re.compile(f"[{letters}]") for script, letters in _SCRIPTS.items()}
_BEYOND_LATIN = re.compile("[\u0370-\u1cff\u1f00-\u1fff\u2e80-\ud7ff\uf900-\ufdff\ufe70-\ufefc]")
_WEIGHTS = {"han": 3, "kana": 3, "ko": 3}
"""A character of these scripts says about as much as three letters."""

_LATIN = ("en", "de", "es", "fr", "it", "pt", "nl")
_LISTS_WITH = Counter(word for language in _LATIN for word in STOP_WORDS[language])
_TELLING = {
    "de": re.compile("\u00df"),
    "es": re.compile("[\u00a1\u00bf\u00f1]"),
    "fr": re.compile("\u0153"),
    "pt": re.compile("[\u00e3\u00f5]"),
}
"""Characters that no other of the languages in `_LATIN` has: each counts as a function word."""

_CYRILLIC = (
    ("mk", re.compile("[ѓќѕ]")),
    ("sr", re.compile("[јљњћђџ]")),
    ("kk", re.compile("[әғқңұһ]")),
    ("be", re.compile("ў")),
    ("uk", re.compile("[іїєґ]")),
)
_RUSSIAN = re.compile("[ыэё]")
_BULGARIAN = frozenset(
    "са се че ще това тази този през който която които какво кой към във със беше бяха".split()  # noqa: SIM905
)
_URDU = re.compile("[\u0679\u0688\u0691\u06ba\u06be\u06c1\u06d2]")
_PERSIAN = re.compile("[\u067e\u0686\u0698\u06a9\u06af\u06cc]")
_ARABIC = re.compile("[\u0623\u0625\u0629\u0643\u0649\u064a]")

_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS_OF = {
    "zh": ("han",),
    "ja": ("han", "kana"),
    **dict.fromkeys(("ru", "uk", "be", "bg", "sr", "mk", "kk"), ("cyrillic",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("arabic",)),
}

_KANA_SHARE = 0.1
_LETTER_SHARE = 0.005
_FUNCTION_SHARE = 0.15
_LEAD = 1.4


def language_of(text: str) -> str:
    """The ISO 639-1 code of the language of most of `text`, as its beginning, middle and end show it; "" if unclear.

    Pure, and as fast for a book as for a few pages.
    """
    sample = unicodedata.normalize("NFC", _sample(text)).lower()
    script = script_of(sample)
    if script == "latin":
        return _latin_language(sample)
    if script == "cyrillic":
        return _cyrillic_language(sample)
    return language_of_script(sample, script)


def script_of(text: str) -> str:
    """The script of most letters of `text`; "" without letters.

    "latin", "cyrillic", "arabic", "han" (without kana), "kana" (with or without han), or the code of the one language
    that is usually meant by the script: "el", "he", "ko", "th".
    """
    if not _BEYOND_LATIN.search(text):
        return "latin" if _LETTERS["latin"].search(text) else ""
    counts = {script: len(one.findall(text)) * _WEIGHTS.get(script, 1) for script, one in _LETTERS.items()}
    east_asian = counts["han"] + counts["kana"]
    counts["kana"] = east_asian if counts["kana"] > _KANA_SHARE * east_asian else 0
    counts["han"] = east_asian - counts["kana"]
    script = max(counts, key=lambda one: counts[one])
    return script if counts[script] else ""


def language_of_script(text: str, script: str) -> str:
    """The likeliest language of `text` in `script` (see `script_of`); "" for the Latin one, which says nothing."""
    if script == "arabic":
        return _arabic_language(text)
    return {"latin": "", "han": "zh", "kana": "ja", "cyrillic": "ru"}.get(script, script)


def language_within(text: str, language: str) -> str:
    """The language of a stretch of a text that is in `language`: another if the stretch is in another script."""
    script = script_of(text)
    if not script or script in _SCRIPTS_OF.get(language, (language if language in _SCRIPTS else "latin",)):
        return language
    return language_of_script(text, script)


def _sample(text: str) -> str:
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = (len(text) - _SAMPLE) // 2
    return "\n".join((text[:_SAMPLE], text[middle : middle + _SAMPLE], text[-_SAMPLE:]))


def _arabic_language(text: str) -> str:
    if len(_URDU.findall(text)) > 4 * _LETTER_SHARE * len(text):
        return "ur"
    # Persian has four letters more than Arabic, and its own forms of kaf and yeh.
    return "fa" if len(_PERSIAN.findall(text)) > len(_ARABIC.findall(text)) else "ar"


def _cyrillic_language(text: str) -> str:
    letters = len(_LETTERS["cyrillic"].findall(text))
    for language, own in _CYRILLIC:
        if len(own.findall(text)) > _LETTER_SHARE * letters:
            return language
    if _RUSSIAN.search(text):
        return "ru"
    words = _WORD.findall(text)
    if not _BULGARIAN.isdisjoint(words):
        return "bg"
    return "" if STOP_WORDS["ru"].isdisjoint(words) else "ru"


def _latin_language(text: str) -> str:
    """By function words: less for one that several languages have, and for one said again ("Los Angeles")."""
    words = _WORD.findall(text)
    seen = Counter(word for word in words if word in _LISTS_WITH)
    known, points = dict.fromkeys(_LATIN, 0), dict.fromkeys(_LATIN, 0.0)
    for language in _LATIN:
        telling = len(_TELLING[language].findall(text)) if language in _TELLING else 0
        own = {word: count for word, count in seen.items() if word in STOP_WORDS[language]}
        known[language] = telling + sum(own.values())
        points[language] = telling + sum(sqrt(count) / _LISTS_WITH[word] for word, count in own.items())
    best, second = sorted(_LATIN, key=lambda language: -points[language])[:2]
    clear = points[best] > _LEAD * points[second] and known[best] >= _FUNCTION_SHARE * len(words)
    return best if clear else ""
