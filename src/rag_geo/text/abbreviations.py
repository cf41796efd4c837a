"""What ends a sentence and what does not, as far as it differs by language.

Behind some abbreviations a sentence never ends, behind others it may. `sentencex` knows many of them but not all, and
lets no sentence end behind one that it knows. English needs nothing here. Left out on purpose is what is also a word
("Art."): sentences that end with it are more frequent.
"""

from __future__ import annotations

import re

from rag_geo.text.languages import STOP_WORDS

_LEADING = {
    "de": r"""Dr Prof Dipl Ing Hr Fr Frl St Hl hl bspw bzw bzgl ca evtl ggf inkl exkl insb insbes sog vgl Vgl zzgl
        zzt geb gest ehem (?:[zZ]\.\s?B) (?:[dD]\.\s?h) (?:[uU]\.\s?a\.\s?in) (?:i\.\s?d\.\s?R)
        (?:lat|griech|engl|frz)""",
    "es": r"""Sr Sra Sres Sras Srta Dr Dra Dres Dras Prof Profa Lic Ing Arq Gral Cnel Cap Cmdte D Dña Ud Uds Mons
        Sto Sta Ntra Excmo Excma Av Avda (?:[pP]\.\s?ej) (?:cf) vol Vol pág""",
    "fr": r"""M MM Mme Mmes Mlle Mlles Dr Drs Pr Me Mgr St Ste Vve cf Cf env (?:[pP]\.\s?ex) (?:c\.?-à-d) av boul
        bd""",
    "it": r"""[sS]ig [sS]igg [sS]ig\.ra [sS]igra [dD]ott [dD]ott\.ssa [dD]r [pP]rof [pP]rof\.ssa [iI]ng [aA]vv
        [gG]eom [oO]n [rR]ag [aA]rch [mM]ons [eE]gr [gG]ent cfr Cfr (?:ad\ses) (?:p\.\s?es) ca [sS]ec""",
    "pt": r"""Sr Sra Srs Sras Srta Dr Dra Drs Prof Profa Eng Arq Gen Cel Cap D Exmo Exma Av Sto Sta St cf Cf Pe Fr
        (?:[pP]\.\s?ex) séc vol""",
    "nl": r"""[dD]hr [mM]evr [mM]w [mM]r [dD]rs? [pP]rof [iI]r [iI]ng [dD]s St bijv Bijv (?:[oO]\.\s?a)
        (?:[dD]\.\s?w\.\s?z) (?:[mM]\.\s?n) (?:[tT]\.\s?w\.\s?v) ca vgl Vgl nl resp incl excl""",
    "ru": r"""[пП]роф [аА]кад [дД]оц [дД]-р [иИ]нж [тТ]ов [гГ]р [сС]в ул пер просп наб обл [рР]ед англ лат греч фр
        итал исп [сС]м [сС]р [нН]апр (?:[тТ]\.\s?е) (?:[тТ]\.\s?к) (?:[тТ]\.\s?н) (?:так\sназ)""",
    "ar": r"""(?:\u0623\.\s?\u062f) (?:(?<![\d\u064b-\u0670])(?<!\d\s)[\u0621-\u064a])""",
}
_NUMBERED = {
    "de": "Nr Nrn Abb Art Abs Kap Bd S Tab Tel Anm Ziff Bsp",
    "es": "n N núm Núm nro núms pág págs p pp art arts cap vol fig tel apdo",
    "fr": "n no nos art chap fig p pp t vol tél éd al",
    "it": "n nn art artt cap fig pag pagg p pp vol tab tel par",
    "pt": "n n\u00ba núm art arts cap fig pág págs p pp vol tel",
    "nl": "nr nrs art afb blz p pp hfst tel tab bd",
    "ru": "рис табл стр с гл ст п пп кн т вып тел д кв корп разд ч",
    "ar": "ص ج رقم",
}
_CLOSING = {
    "de": r"usw|etc|u\.\s?a|u\.\s?ä|o\.\s?ä|u\.\s?v\.\s?m|[vn]\.\s?chr|mio|mrd|jh|jhd|std|ff|jr",
    "es": r"etc|ee\.\s?uu|[ad]\.\s?c|s\.\s?a|cía|jr|[ap]\.\s?m",
    "fr": r"etc|j\.-c|jr|s\.\s?a",
    "it": r"ecc|etc|[ad]\.\s?c|s\.\s?p\.\s?a|s\.\s?r\.\s?l|jr",
    "pt": r"etc|[ad]\.\s?c|s\.\s?a|ltda|cia|jr",
    "nl": r"enz|etc|e\.\s?d|e\.\s?a|[vn]\.\s?chr|jr|b\.\s?v|n\.\s?v",
    "ru": r"т\.\s?д|т\.\s?п|др|пр|гг?|вв?|н\.\s?э|тыс|млн|млрд|руб|коп|км|м|кг|чел|долл|мин|ч",
}

_ABBREVIATION = r"(?<![^\W\d_])(?<![^\W\d_]\.)(?<![^\W\d_]-)"
_NAMES = "St|Mr|Mrs|Ms|Dr|Prof"
"""In names of other languages, whatever the text is in."""

_LEADS = {
    code: re.compile(rf"{_ABBREVIATION}(?:{'|'.join(found.split())}|{_NAMES})\.\s*$")
    for code, found in _LEADING.items()
}
_LEADS_TO_NUMBER = {
    code: re.compile(rf"{_ABBREVIATION}(?:{'|'.join(found.split())})\.\s*$") for code, found in _NUMBERED.items()
}
_CLOSES = {
    code: re.compile(rf"{_ABBREVIATION}(?:{found})\.[)»”\"’]*\s+(?=[«„“\"]?([^\W\d_]+))", re.IGNORECASE)
    for code, found in _CLOSING.items()
}
_LONGEST = 24
"""Characters on either side of the end of a sentence that are looked at."""

_YEAR = re.compile(r"(?<=[^\W\d_]{4}[a-zß-öø-ÿа-яё]\.)\s+(?=(?:1\d|20)\d\d\b)")
_INITIAL = re.compile(r"(?:^|[\s.])[A-ZÀ-ÖØ-ÞА-ЯЁ]\.\s*$")
_NEXT_WORD = re.compile(r"\s*([^\W\d_]+)")
_GOES_ON_WITH = re.compile(r"\s*[,;:)]")
_GERMAN_ORDINAL = re.compile(
    r"(?:\b(?:[dD](?:er|ie|as|en|em|es)|[aA]m|[iI]m|[vV]om|[zZ]um|[zZ]ur|[bB]eim|(?:[iI]hr|[sS]ein|[eE]in)e[mnrs]?)"
    r"|\d\.\s(?:und|oder|bis))\s\d{1,2}\.\s*$"
)
_NUMBER_ENDS = re.compile(r"\d{1,2}\.\s*$")
_GERMAN_COUNTED = re.compile(r"\s*(?:Jahrhundert|Jahrtausend|Jh\b|Lebensjahr|Kapitel|Auflage|Platz\b)")

_EAST_ASIAN_MARK = re.compile(
    "(?P<open>[\uff08(\u300c\u300e\u201c\u3010\u300a])|(?P<close>[\uff09)\u300d\u300f\u201d\u3011\u300b])"
    "|[\u3002\uff01\uff1f!?]+(?P<closes>[\uff09)\u300d\u300f\u201d\u3011\u300b]*)"
)
_NO_BEGINNING = frozenset("\u3001\uff0c\u3002\uff1b\uff1a\uff09\u300d\u300f\u201d\u2019\u2026\u2014,.;:)")
_SAID = re.compile(
    "\\s*(?:\u3068|\u3063\u3066|\u306a\u3069|\u306e"
    "|[^\\W\\d_]{0,6}?(?:\u8bf4|\u8aaa|[\u95ee\u7b54\u5199\u558a]\u9053|\u56de\u7b54|\u8868\u793a|\u6307\u51fa))"
)


def leads_on(text: str, start: int, end: int, language: str) -> bool:
    """Whether a sentence cannot have ended at `end`, where ``text[start:end]`` seems to be one."""
    before, after = text[max(start, end - _LONGEST) : end].rstrip(), text[end : end + _LONGEST]
    if language in ("zh", "ja"):
        if before.endswith("\u300b"):  # the title of a work
            return True
        return before.endswith(("\u201d", "\u2019", "\u300d", "\u300f")) and bool(_SAID.match(after))
    if not before.endswith("."):
        return False
    if _GOES_ON_WITH.match(after) or _is_initial(before, after, language):
        return True
    if language == "de" and (
        _GERMAN_ORDINAL.search(before) or (_NUMBER_ENDS.search(before) and _GERMAN_COUNTED.match(after))
    ):
        return True
    if language not in _LEADS:
        return False
    to_number = after.lstrip()[:1].isdigit() and _LEADS_TO_NUMBER[language].search(before)
    return bool(to_number or _LEADS[language].search(before))


def _is_initial(before: str, after: str, language: str) -> bool:
    found = _NEXT_WORD.match(after) if _INITIAL.search(before) else None
    return found is not None and found[1][0].isupper() and found[1].lower() not in STOP_WORDS.get(language, ())


def missed_ends(text: str, start: int, end: int, language: str) -> list[int]:
    """Where in ``[start, end)`` a sentence begins after all, in order.

    Behind an abbreviation that may end one, if a function word with a capital follows; and with a year.
    """
    if language not in _CLOSES:
        return []
    found = [match.end() for match in _YEAR.finditer(text, start, end)]
    for match in _CLOSES[language].finditer(text, start, end):
        word = match[1]
        if word[0].isupper() and (len(word) == 1 or not word.isupper()) and word.lower() in STOP_WORDS[language]:
            found.append(match.end())
    return sorted(found)


def east_asian_ends(text: str, start: int, end: int) -> list[int]:
    """Where in ``[start, end)`` a sentence of Chinese or Japanese begins, in order: behind full stops outside brackets.

    Behind a closing bracket or quote only if a full stop is in it, or it is a whole sentence or what someone says.
    """
    found: list[int] = []
    opened: list[int] = []
    for match in _EAST_ASIAN_MARK.finditer(text, start, end):
        if match["open"]:
            opened.append(match.start())
            continue
        closing = match["closes"] or match["close"] or ""
        first = opened[-len(closing)] if 0 < len(closing) <= len(opened) else start
        del opened[len(opened) - min(len(closing), len(opened)) :]
        begins = found[-1] if found else start
        said = closing[-1:] != "\u300b" and (not text[begins:first].strip() or text[first - 1] in "\uff1a:")
        whole = not closing or "\u3002" in match[0] or said
        if (
            not match["close"]
            and not opened
            and whole
            and text[match.end() : match.end() + 9].lstrip()[:1] not in _NO_BEGINNING
        ):
            found.append(match.end())
    return found
