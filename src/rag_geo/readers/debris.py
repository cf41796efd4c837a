"""Which paragraphs are debris of the web page a text was copied from.

Precision first: a rule fires on exact words, on repetition, or on a form that no sentence has. What is marked keeps its
number, so that citations stay true to the file, but has no sentences and is not indexed. Headings of Markdown and HTML
are never debris by these rules.

=================  =====================================================================================================
rule               marks
=================  =====================================================================================================
navigation         "Skip to content", "Menu", "Home | News | Contact", anything with "Nav-Template"
advertisement      "Advertisement", "Sponsored content"
label              a lone "Opinion", "POPULAR", "Share this article", "Subscribe"
photo credit       "Image: Reuters", "Illustration: Craig Stephens", a caption that ends in "(Photo by …)"
byline             a lone "By Jane Doe"
time stamp         "03:35", "5 min read", "2 hours ago"
number             one to three digits alone
copyright          "© 2021 …", "All rights reserved."
cookies            "We use cookies …"
separator          neither letter, digit nor symbol: "***", "---"
repeated           a line of up to 200 characters without a full stop that occurs twice in a row (of a title that opens
                   the file only the second time)
related            "Related Articles" and the teasers after it, up to the first text that is complete
=================  =====================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag_geo.records import BlockKind


@dataclass(frozen=True, slots=True)
class Shown:
    """What the rules look at: the visible `text` of a block ("" when very long), its `lines`, and its `ending`."""

    text: str
    lines: tuple[str, ...]
    kind: BlockKind
    rule: str | None
    ending: str


def _phrases(listed: str) -> frozenset[str]:
    return frozenset(" ".join(phrase.split()) for phrase in listed.split("|"))


_LABELS = _phrases(
    """
    opinion | popular | most popular | most read | trending | trending now | share | share this | share this article |
    share on facebook | share on twitter | share via email | subscribe | subscribe now | subscribe today | sign up |
    sign up now | newsletter | newsletters | sign up for our newsletter | subscribe to our newsletter | follow us |
    follow us on twitter | print | print this article | email | e-mail | facebook | twitter | whatsapp | linkedin |
    telegram | reddit | copy link | comments | leave a comment | add comment | post comment | listen |
    listen to this article | save | save article | gift article | read more | read full article | show more |
    load more |
    continue reading | click here | loading | loading… | loading... | tags | tags: | topics | filed under |
    breaking news | live | watch | video | sponsored by | why you can trust us | report an error |
    view comments | join the conversation
    """
)
_NAVIGATION = _phrases(
    """
    skip to content | skip to main content | skip to navigation | skip to search | menu | main menu | open menu |
    close menu | toggle navigation | navigation | home | search | search for: | back | back to top | go to top | next |
    previous | next article | previous article | next page | previous page | sign in | log in | login | log out |
    register | my account | site map | sitemap | about us | contact us | privacy policy | cookie policy | terms of use |
    terms of service | terms and conditions | advertise with us
    """
)
_MENU_WORDS = _NAVIGATION | {
    "about",
    "contact",
    "news",
    "sport",
    "sports",
    "world",
    "business",
    "politics",
    "help",
    "shop",
}
_RELATED = _phrases(
    """
    related | related articles | related article | related stories | related story | related posts | related content |
    related news | related topics | related reading | you may also like | you might also like |
    you may also be interested in | recommended | recommended for you | recommended reading | recommended stories |
    more from this author | more from author | more stories | more on this story | more on this topic | read also |
    read next | up next | latest articles | latest stories | editors' picks | editor's picks | editors’ picks |
    editor’s picks | don't miss | also read | further stories | popular articles | popular posts
    """
)

_LINE_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("navigation", r".*\bNav-Template\b.*"),
        (
            "advertisement",
            r"(?i:-*\s*(?:advertisements?|advertising|adverts?|sponsored(?: content)?|paid content"
            r"|story continues below(?: (?:this )?advertisement)?|"
            r"advertisement - (?:scroll to continue|continue reading below))\s*-*)",
        ),
        (
            "photo credit",
            r"(?i:(?:images?|photos?|photographs?|photography|illustrations?|pictures?|graphic"
            r"|cover image|featured image|photo credit|image credit|picture credit|image source|photo source)"
            r"(?: by| courtesy of)?)\s?[:/]\s?"
            r"[^.:!?]{1,60}(?:\.com)?",
        ),
        ("photo credit", r"(?i:(?:photo|image|illustration)s? (?:by|courtesy of)) [^.:!?]{1,60}"),
        (
            "photo credit",
            r".{0,400}\((?i:photo(?:graph)?|image|picture|illustration|credit)s?(?: credit)?(?i: by|:) [^()]{1,100}\)",
        ),
        (
            "byline",
            r"(?:By|BY|by) [A-Z][\w.’'-]*(?: (?:[A-Z][\w.’'-]*|de|van|von|der|al|bin|and|&|,)){0,7}"
            r"(?:, [A-Z][\w ]{1,30})?(?<![.])",
        ),
        ("time stamp", r"\d{1,2}:\d{2}(?::\d{2})?"),
        ("time stamp", r"(?i:\d{1,3}[ -](?:min(?:ute)?s?|hours?|days?|sec(?:ond)?s?)[ -](?:read|ago|watch|listen)\.?)"),
        ("number", r"\d{1,3}"),
        ("copyright", r"(?i:(?:©|\(c\)\s|copyright\b\s*(?:©|\(c\)|\d{4})).{0,200})"),
        ("copyright", r"(?i:.{0,200}\ball rights reserved\.?)"),
        ("cookies", r"(?i:(?:this (?:web)?site|we|our (?:web)?site) uses? cookies\b.{0,300})"),
        ("cookies", r"(?i:(?:accept|reject|manage)(?: all)? cookies)"),
        ("separator", r"[\s\-_=*~#+.|•·—–<>/\\^`:;,]+"),
    )
)
_COMPLETE = re.compile(r"[.!?。！？](?:['\"”’»)\]*_]|\s|\[\d+\])*$")
_TRUNCATED = re.compile(r"(?:\.\.\.|…|\[…\]|\[\.\.\.\])\s*$")
_REPEATED_LIMIT = 200
_MENU_SEPARATOR = re.compile(r"\s*[|»›·•/]\s*")


def debris_rules(blocks: Sequence[Shown]) -> list[str | None]:
    """For each block the name of the rule that marks it as debris, or None."""
    rules: list[str | None] = [block.rule or _own_rule(block) for block in blocks]
    _mark_repeated(blocks, rules)
    _mark_related(blocks, rules)
    return rules


def _own_rule(block: Shown) -> str | None:
    """The rules of its lines, when every one of them is debris."""
    if block.kind in ("heading", "code", "table") or not block.lines:
        return None
    names: dict[str, None] = {}
    for at, line in enumerate(block.lines):
        rule = line_rule(line) or _repeated_line(block.lines, at)
        if rule is None:
            return None
        names[rule] = None
    return ", ".join(names)


def line_rule(line: str) -> str | None:
    """The rule that marks `line`, white space collapsed, as debris wherever it stands; or None."""
    if len(line) > 600:
        return None
    folded = line.casefold()
    if folded in _LABELS:
        return "label"
    if folded in _NAVIGATION or _is_menu(folded):
        return "navigation"
    return next((name for name, pattern in _LINE_RULES if pattern.fullmatch(line)), None)


def _is_menu(folded: str) -> bool:
    entries = [entry for entry in _MENU_SEPARATOR.split(folded) if entry]
    if len(entries) < 3 or any(len(entry.split()) > 3 for entry in entries):
        return False
    return sum(entry in _MENU_WORDS for entry in entries) * 2 >= len(entries)


def _repeated_line(lines: Sequence[str], at: int) -> str | None:
    """Within a block of labels: a line that its neighbour repeats."""
    near = (*lines[max(0, at - 1) : at], *lines[at + 1 : at + 2])
    return "repeated" if len(lines) > 2 and lines[at] in near and _repeatable(lines[at]) else None


def _repeatable(text: str) -> bool:
    return 0 < len(text) <= _REPEATED_LIMIT and not _COMPLETE.search(text.rstrip("?"))


def _mark_repeated(blocks: Sequence[Shown], rules: list[str | None]) -> None:
    opening = 0
    for at in range(1, len(blocks)):
        while opening < at - 1 and rules[opening]:
            opening += 1
        before, here = blocks[at - 1], blocks[at]
        if here.kind != "text" or before.kind not in ("text", "heading") or not _repeatable(here.text):
            continue
        if before.text.casefold() != here.text.casefold():
            continue
        if rules[at] is None:
            rules[at] = "repeated"
        opens_the_file = opening == at - 1
        if rules[at - 1] is None and before.kind == "text" and not opens_the_file:
            rules[at - 1] = "repeated"


def _mark_related(blocks: Sequence[Shown], rules: list[str | None]) -> None:
    at = looked_until = 0
    while at < len(blocks):
        block = blocks[at]
        at += 1
        if block.rule or block.text.casefold().strip(" :") not in _RELATED:
            continue
        if block.kind == "text":
            rules[at - 1] = "related"
        if at < looked_until:
            # A label within a run that another label opened, and in which nothing was found.
            continue
        end = at
        while end < len(blocks) and _is_teaser(blocks[end], rules[end]):
            end += 1
        if any(rules[index] == "repeated" or _TRUNCATED.search(blocks[index].ending) for index in range(at, end)):
            rules[at:end] = [rule if blocks[at + n].rule else "related" for n, rule in enumerate(rules[at:end])]
            at = end
        looked_until = end


def _is_teaser(block: Shown, rule: str | None) -> bool:
    if rule is not None:
        return True
    return block.kind == "text" and bool(_TRUNCATED.search(block.ending) or not _COMPLETE.search(block.ending))
