"""Parts of a Word document that are whole pages in another format, as web applications write them."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from rag_geo.readers.decoding import declared_encoding, decode
from rag_geo.readers.flow import Ready, Story
from rag_geo.readers.html import page_layout

_HEAD = 2_000


def chunk_story(data: bytes) -> Story | None:
    """The blocks of a page in `data`, alone or in a MIME archive; None when it is in another format."""
    if b"mime-version" in data[:_HEAD].lower():
        html = _page_in(data)
    else:
        decoded = decode(data, declared=declared_encoding(data))
        html = decoded.text if decoded and "<" in decoded.text[:_HEAD] else None
    if html is None:
        return None
    layout = page_layout(html)
    return [Ready(layout.text[block.start : block.end], block.kind, block.level) for block in layout.blocks]


def _page_in(data: bytes) -> str | None:
    # The newer policy would parse every header; nothing but the kind of the parts matters here.
    try:
        message = email.message_from_bytes(data, EmailMessage, policy=email.policy.compat32)
    except RecursionError:
        # The parser of the standard library recurses into parts; no program nests hundreds of them.
        return None
    for part in message.walk():
        if part.get_content_type() == "text/html":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                decoded = decode(content, declared=declared_encoding(content) or part.get_content_charset("") or "")
                return decoded.text if decoded else None
    return None
