"""Read an e-mail: its subject as the heading, then what its sender wrote; earlier mails quoted below are debris.

Python's own parser takes the message apart and raises for nothing in it. Only the headers that are asked for are
parsed, and none beyond a bounded length, as parsing takes quadratic time in that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from email import message_from_bytes
from email.errors import MessageError
from email.headerregistry import Address, Group
from email.message import EmailMessage
from email.policy import EmailPolicy, compat32
from email.utils import parsedate_tz
from itertools import groupby
from typing import cast

from rag_geo.readers.blocks import Block, UnreadableError
from rag_geo.readers.decoding import DECLARABLE, declared_encoding, decode
from rag_geo.readers.html import flatten, page_layout
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.lines import text_blocks
from rag_geo.readers.metadata import clean
from rag_geo.readers.recognise import MESSAGE, Container
from rag_geo.settings import ReadingSettings
from rag_geo.text.folding import blank, find_hidden

QUOTED = "email:quoted"
SIGNATURE = "email:signature"

_LONGEST_HEADER = 10_000
_LONGEST_CONTENT_HEADER = 2_000
# What the parser of headers is known to raise for mail that breaks the rules, beside its own errors.
_HEADER_ERRORS = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError)
_DELETED = re.compile(rb"^X-Mozilla-Status:[ \t]*([0-9A-Fa-f]{4})", re.MULTILINE)
_MULTIPART = re.compile(rb"^content-type:\s*(?:multipart/|message/)", re.IGNORECASE | re.MULTILINE)
_KIND = re.compile(r"\s*[\w.+-]+/[\w.+-]+\s*(?:;|$)")
_LENGTH = re.compile(rb"(\d{1,12})[ \t]*\r?\n")
_HEADERS_END = re.compile(rb"\r?\n\r?\n|\r\r")
_PASSED_OVER = frozenset((
    "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
    "application/pgp-keys", "text/x-amp-html", "text/calendar", "text/rfc822-headers", "text/css",
))  # fmt: skip
_HARDLY = 40  # words
_ENCRYPTED = "encrypted: only the program of the one it was sent to can show it"


class _Policy(EmailPolicy):
    """The standard policy, but headers are cut, and those about the form of a part stay as they are written."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name = sourcelines[0].partition(":")[0][:200]
        limit = _LONGEST_CONTENT_HEADER if name.lower().startswith("content-") else _LONGEST_HEADER
        kept: list[str] = []
        for line in sourcelines:
            kept.append(line[: max(0, limit)])
            limit -= len(line)
            if limit <= 0:
                break
        return name, "".join(kept).partition(":")[2].strip(" \t\r\n")

    def header_fetch_parse(self, name: str, value: str) -> str:
        if name.lower().startswith("content-"):
            value = "".join(value.splitlines())
            return value if name.lower() != "content-type" or _KIND.match(value) else "text/plain"
        return cast(str, super().header_fetch_parse(name, value))


_POLICY = _Policy()


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    rule: str | None = None


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of one message, without its attachments; raises UnreadableError for one that is encrypted."""
    message = _parsed(data)
    subject = _header(message, "Subject")
    draft = Draft()
    draft.add(subject, "heading", level=1)
    warnings: list[str] = []
    removed: dict[str, int] = {}
    encoding = ""
    for part in _body(message):
        text, encoding, trouble = _text(part)
        warnings += [warning for warning in trouble if warning not in warnings]
        if part.get_content_type() == "text/html":
            layout = _page(text)
            for rule, count in layout.removed:
                removed[rule] = removed.get(rule, 0) + count
            _add(draft, layout.text, layout.blocks)
        else:
            _add_lines(draft, _lines(text, part))
    authors = _people(message, "From") or _people(message, "Sender")
    attached = ", ".join(name for name, _, _ in _attached(message, with_content=False))
    rest = [(key.lower(), ", ".join(map(_full, _people(message, key)))) for key in ("From", "To", "Cc")]
    return Layout(
        draft.text,
        tuple(draft.blocks),
        title=subject,
        author=", ".join(person.display_name or person.addr_spec for person in authors),
        date=_date(message),
        metadata=tuple((key, clean(value)) for key, value in (*rest, ("attachments", attached)) if value),
        removed=tuple(sorted(removed.items())),
        warnings=tuple(warnings),
        encoding=encoding,
    )


def attachments(data: bytes) -> Iterator[tuple[str, bytes, Container | None]]:
    """The files that a message carries, each with its name, and with its kind where the message says it.

    Signatures, pictures shown within the text, and other forms of the text itself are no files. Raises
    UnreadableError as `read` does.
    """
    end = _HEADERS_END.search(data)
    if not _MULTIPART.search(data, 0, end.start() if end else len(data)):
        return iter(())
    return _attached(_parsed(data))


def saved_page(data: bytes) -> bytes:
    """The page in a message that a browser made of one, in UTF-8, or nothing; raises UnreadableError as `read` does."""
    page = next((part for part, _ in _leaves(_parsed(data)) if _is_page(part)), None)
    return _text(page)[0].encode("utf-8", "replace") if page else b""


def is_deleted(data: bytes) -> bool:
    """Whether a message in a mailbox has Thunderbird's mark of one that was deleted."""
    end = _HEADERS_END.search(data)
    found = _DELETED.search(data, 0, end.start() if end else len(data))
    return bool(found and int(found[1], 16) & 0x8)


def _parsed(data: bytes) -> EmailMessage:
    try:
        message = message_from_bytes(_bare(data), policy=_POLICY)
    except (*_HEADER_ERRORS,) as error:
        raise UnreadableError("damaged: too deeply nested for an e-mail") from error
    message = cast(EmailMessage, message)
    kind = message.get_content_type()
    smime = kind in ("application/pkcs7-mime", "application/x-pkcs7-mime")
    if kind == "multipart/encrypted" or smime:
        raise UnreadableError(_ENCRYPTED)
    return message


def _bare(data: bytes) -> bytes:
    """A message without blank lines before it, and without what Apple Mail writes around one: its length, a list."""
    length = _LENGTH.match(data)
    return data[length.end() :][: int(length[1])] if length else data.lstrip(b"\r\n")


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = str(message[name] or "")
    except _HEADER_ERRORS:
        value = _raw_header(message, name)
    return clean(_without_surrogates(value))


def _raw_header(message: EmailMessage, name: str) -> str:
    return next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _without_surrogates(text: str) -> str:
    """Bytes beyond ASCII that nothing declares are read as a file of text would be."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        decoded = decode(text.encode("utf-8", "surrogateescape"))
        return decoded.text if decoded else text.encode("utf-8", "replace").decode("utf-8")
    return text


def _people(message: EmailMessage, name: str) -> tuple[Address, ...]:
    try:
        groups: tuple[Group, ...] = getattr(message[name], "groups", ())
        found = tuple(address for group in groups for address in group.addresses)
        if any(address.username or address.display_name for address in found):
            return tuple(_shown(address) for address in found if address.username or address.display_name)
    except _HEADER_ERRORS:
        pass
    whole = _header(message, name)
    return (Address(display_name=whole),) if whole else ()


def _shown(address: Address) -> Address:
    return Address(clean(_without_surrogates(address.display_name)), *_address(address))


def _address(address: Address) -> tuple[str, str]:
    return clean(_without_surrogates(address.username)), clean(_without_surrogates(address.domain))


def _full(person: Address) -> str:
    spec = f"{person.username}@{person.domain}" if person.domain else person.username
    return f"{person.display_name} <{spec}>" if person.display_name and spec else person.display_name or spec


def _date(message: EmailMessage) -> str:
    """The day in the sender's own time zone."""
    try:
        found = parsedate_tz(_raw_header(message, "Date")[:200])
        return date(*found[:3]).isoformat() if found else ""
    except (*_HEADER_ERRORS, OverflowError):
        return ""


def _children(part: EmailMessage) -> list[EmailMessage]:
    if part.get_content_maintype() != "multipart" or not part.is_multipart():
        return []
    return cast(list[EmailMessage], part.get_payload())


def _leaves(message: EmailMessage) -> Iterator[tuple[EmailMessage, bool]]:
    """Every part that holds no others, and whether it belongs to a page (`related`), which shows its pictures."""
    stack = [(message, False)]
    while stack:
        part, related = stack.pop()
        children = _children(part)
        if children:
            related = part.get_content_subtype() == "related"
            stack.extend((child, related) for child in reversed(children))
        else:
            yield part, related


def _body(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that are the text of the message, in order: of several forms of the same text the plain one."""
    stack = [message]
    while stack:
        part = stack.pop()
        children = _children(part)
        if children and part.get_content_subtype() == "alternative":
            stack.append(_best(children))
        elif children and part.get_content_subtype() == "related":
            stack.append(children[0])
        elif children:
            stack.extend(reversed(children))
        elif _is_words(part) and not _filename(part) and not _is_file(part):
            yield part


def _best(forms: list[EmailMessage]) -> EmailMessage:
    """The plain form, unless it is hardly there: some programs only write in it that another form exists."""
    plain = next((form for form in forms if form.get_content_type() == "text/plain"), None)
    rich = next((form for form in reversed(forms) if any(_is_page(leaf) for leaf, _ in _leaves(form))), None)
    if plain is None or rich is None:
        return plain or rich or forms[0]
    words = len(_text(plain)[0].split())
    if words > _HARDLY:
        return plain
    page = next(leaf for leaf, _ in _leaves(rich) if _is_page(leaf))
    return rich if len(page_layout(_text(page)[0]).text.split()) > max(3 * words, _HARDLY) else plain


def _is_words(part: EmailMessage) -> bool:
    return part.get_content_maintype() == "text" and part.get_content_type() not in _PASSED_OVER


def _is_page(part: EmailMessage) -> bool:
    return part.get_content_type() == "text/html"


def _is_file(part: EmailMessage) -> bool:
    return (part.get_content_disposition() or "") == "attachment"


def _filename(part: EmailMessage) -> str:
    try:
        name = part.get_filename() or ""
    except _HEADER_ERRORS:
        return ""
    if "=?" in name:
        named = EmailMessage(policy=_POLICY)
        named["Subject"] = " ".join(name.split())
        name = _header(named, "Subject")
    return clean(_without_surrogates(name)).replace("\\", "/").rpartition("/")[2]


def _attached(message: EmailMessage, *, with_content: bool = True) -> Iterator[tuple[str, bytes, Container | None]]:
    texts = {id(part) for part in _body(message)}
    for number, (part, related) in enumerate(_leaves(message), start=1):
        kind = part.get_content_type()
        if id(part) in texts or kind in _PASSED_OVER:
            continue
        name = _filename(part)
        if part.get_content_maintype() == "message":
            # Of a part without parts the parser would decode the text, with whatever codec the message names.
            forwarded = cast(list[EmailMessage], part.get_payload() if part.is_multipart() else [])
            inner = forwarded[0] if forwarded else None
            if kind == "message/rfc822" and inner is not None:
                name = name or f"{_header(inner, 'Subject')[:80] or f'message {number}'}.eml"
                yield name, _source(inner) if with_content else b"", MESSAGE
        elif name or _is_file(part):
            shown = part.get_content_maintype() == "image" and (related or not _is_file(part))
            if not shown:
                yield name or f"part {number}", _content(part) if with_content else b"", None


def _source(message: EmailMessage) -> bytes:
    """A message within another as it came: this policy leaves its headers as they are."""
    try:
        return message.as_bytes(policy=compat32)
    except _HEADER_ERRORS:
        return b""


def _content(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: EmailMessage) -> tuple[str, str, tuple[str, ...]]:
    """The text of a part, its encoding, and what to tell about that; a charset that is wrong or missing is guessed."""
    content = _content(part)
    try:
        charset = str(part.get_param("charset", "") or "").strip().lower()
    except _HEADER_ERRORS:
        charset = ""
    if charset.startswith(("iso-2022-", "utf-7")) and DECLARABLE.fullmatch(charset):
        return content.decode(charset, "replace"), charset, ()
    decoded = decode(content, declared=charset or (declared_encoding(content) if _is_page(part) else ""))
    if decoded is None:
        return content.decode("utf-8", "replace"), "utf-8", ("its text looks binary",)
    return decoded.text, decoded.encoding, decoded.warnings


_QUOTE = re.compile(r" ?>")
_SAYS_WHO = re.compile(
    r"^(?:On|Am|Le|El|Il|Op|Em|Den|Dnia|W dniu|В|On\b).{0,400}"
    r"(?:wrote|writes|schrieb.{0,80}|a écrit|escribió|ha scritto|schreef.{0,80}|escreveu|skrev.{0,80}|napisał.{0,80}"
    r"|пишет|писал.{0,80}) ?:\s*$|^.{1,200}\b(?:wrote|writes|schrieb|a écrit|escribió):\s*$"
)
_BEGINS_EARLIER = re.compile(
    r"-{3,}\s*(?:Original Message|Ursprüngliche Nachricht|Message d'origine|Mensaje original|Originele bericht"
    r"|Исходное сообщение)\s*-{3,}\s*$"
)
_LIST_WORDS = re.compile(r"mailing list|unsubscribe|https?://", re.IGNORECASE)
_FROM_LINE = re.compile(r"\*?(?:From|Von|De|Da|Van|От) ?:\*? ")
_SENT_LINE = re.compile(
    r"\*?(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Fecha|Inviato|Data|Verzonden|Отправлено|Дата) ?:\*? "
)


def _lines(text: str, part: EmailMessage) -> list[_Line]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    try:
        flowed = str(part.get_param("format", "")).lower() == "flowed"
        joins = str(part.get_param("delsp", "")).lower() == "yes"
    except _HEADER_ERRORS:
        flowed = joins = False
    return _marked(_unflowed(lines, joins=joins) if flowed else lines)


def _unflowed(lines: list[str], *, joins: bool) -> list[str]:
    """Lines that end in a space go on in the next one, if that is quoted as deeply; `joins` drops the space."""
    found: list[list[str]] = []
    depth_before = -1
    for line in lines:
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        flows = bare.endswith(" ") and bare != "-- "
        piece = bare[:-1] if flows and joins else bare
        if depth == depth_before and bare != "-- ":
            found[-1].append(piece)
        else:
            found.append([">" * depth + " " * bool(depth) + piece])
        depth_before = depth if flows else -1
    return ["".join(pieces) for pieces in found]


def _marked(lines: list[str]) -> list[_Line]:
    """Each line with the rule that makes it debris: the signature, quoted lines, and all below an earlier mail."""
    found: list[_Line] = []
    rule: str | None = None
    for at, line in enumerate(lines):
        if line == "-- " or (line in ("--", "_" * len(line)) and _is_end(line, lines[at + 1 : at + 9])):
            rule = SIGNATURE if rule is None else rule
        elif _BEGINS_EARLIER.match(line) or (
            _FROM_LINE.match(line) and any(_SENT_LINE.match(following) for following in lines[at + 1 : at + 3])
        ):
            rule = QUOTED
        found.append(_Line(line, QUOTED if _QUOTE.match(line) and rule is None else rule))
    _mark_who(found)
    if any(line.rule is None and line.text.strip() for line in found):
        return found
    return [_Line(line.text, None if line.rule == QUOTED else line.rule) for line in found]


def _is_end(line: str, after: list[str]) -> bool:
    """Whether a signature, or what a mailing list adds, follows a line that may also stand within a text."""
    short = len(after) < 8 and 0 < sum(bool(each.strip()) for each in after) <= 6
    return short and (line == "--" or (len(line) >= 20 and any(_LIST_WORDS.search(each) for each in after)))


def _mark_who(lines: list[_Line]) -> None:
    """Mark the line or two that say who wrote what is quoted next."""
    for at, line in enumerate(lines):
        if line.rule != QUOTED or (at and lines[at - 1].rule == QUOTED):
            continue
        before = [index for index in range(max(0, at - 4), at) if lines[index].text.strip()][-2:]
        for first in before[::-1]:
            if _SAYS_WHO.match(" ".join(lines[index].text.strip() for index in before if index >= first)):
                for index in range(first, at):
                    lines[index] = replace(lines[index], rule=QUOTED)
                break


def _add_lines(draft: Draft, lines: list[_Line]) -> None:
    for rule, group in groupby(lines, key=lambda line: line.rule):
        text = "\n".join(line.text for line in group)
        hidden, _ = find_hidden(text)
        blocks = text_blocks(blank(text, hidden))
        _add(draft, text, tuple(replace(block, rule=rule) for block in blocks) if rule else blocks)


def _add(draft: Draft, text: str, blocks: tuple[Block, ...]) -> None:
    for block in blocks:
        draft.add(text[block.start : block.end], block.kind, level=block.level, rule=block.rule)


_QUOTES_IN_PAGES = 'blockquote[type="cite"], .gmail_quote, .moz-cite-prefix, .yahoo_quoted, .protonmail_quote'
# Outlook puts the earlier mail after the first of these, beside it.
_QUOTES_FOLLOW = "#divRplyFwdMsg, #appendonsend"
_SIGNATURES_IN_PAGES = ".gmail_signature, .moz-signature, #Signature, .protonmail_signature_block"
_RULES = {"html:aside": QUOTED, "html:footer": SIGNATURE}


def _page(html: str) -> Layout:
    """A message that is a page: quotes and signatures are told by the names that mail programs give them."""
    from selectolax.lexbor import LexborHTMLParser

    plain = page_layout(html)
    tree = LexborHTMLParser(flatten(html.replace("\x00", "\ufffd")))
    for selector, role in ((_QUOTES_IN_PAGES, "complementary"), (_SIGNATURES_IN_PAGES, "contentinfo")):
        for node in tree.css(selector):
            node.attrs["role"] = role
    after = tree.css_first(_QUOTES_FOLLOW)
    while after is not None:
        if after.is_element_node:
            after.attrs["role"] = "complementary"
        after = after.next
    layout = page_layout(tree.html or "")
    blocks = tuple(replace(block, rule=_RULES.get(block.rule or "", block.rule)) for block in layout.blocks)
    return replace(layout, blocks=blocks) if any(block.rule is None for block in blocks) else plain
