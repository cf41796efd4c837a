"""E-mail and mailboxes: what the sender wrote is the text; quoted mail and the signature are debris."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from sources import FILES, Truth

_FROM = "Marion Teague <marion@kilnlane.example>"
_TO = "Peter Ashdown <peter@corran.example>"


def make() -> None:
    """Make messages and a mailbox."""
    for each in (reply, page_and_text, attached, mailbox):
        each()


def _message(subject: str, sender: str, day: str, text: str, **more: str) -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"], made["Date"] = sender, _TO, subject, day
    made["Message-ID"] = f"<{len(subject)}.{len(text)}@kilnlane.example>"
    for name, value in more.items():
        made[name.replace("_", "-")] = value
    made.set_content(text, cte="quoted-printable")
    return made


def _paragraphs(*texts: str, debris: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"text": text, "kind": "text"} for text in texts]
    return [*found, *({"text": text, "kind": "text", "debris": True} for text in debris)]


_WATER = (
    "Dear Peter,",
    "the tank at the pear row leaks again, at the lower seam, and loses about ninety litres a day. I have had it "
    "emptied and shall ask the plumber from Marrow to look at it on Thursday.",
    "Could the mill lend us its pump until the end of May? We would bring it back clean.",
)
_QUOTED = (
    "Peter Ashdown wrote on 3 May 2021:",
    "> the water in the brook is lower than in any spring since 2018.",
    "> Please tell your people to be sparing with it.",
)
_SIGNED = "Marion Teague, Kiln Lane Allotments\nplot 12, by the eastern edge"


def reply() -> None:
    """An answer above the mail it answers, with a signature."""
    text = "\n\n".join((*_WATER, "Marion")) + f"\n\n-- \n{_SIGNED}\n\n" + "\n".join(_QUOTED) + "\n"
    made = _message("Re: Water in the brook", _FROM, "Tue, 04 May 2021 09:12:00 +0200", text)
    (FILES / "brook.eml").write_bytes(made.as_bytes())
    found = _paragraphs(*_WATER, debris=(_SIGNED, " ".join(_QUOTED).replace(">", "")))
    found.insert(len(_WATER), {"text": "Marion", "kind": "text", "optional": True})
    Truth("Python's email", ("quoted mail", "signature", "quoted-printable")).add(
        found, title="Re: Water in the brook", author="?", date="2021-05-04"
    ).save("brook.eml")


def page_and_text() -> None:
    """The same text twice, as plain text and as a page: it counts once."""
    lines = (
        "The committee meets on Friday, 14 May 2021, at half past seven in the hall.",
        "On the agenda are the leaking tank, the accounts for 2020 and the question whether cockerels may be kept "
        "on trial.",
    )
    points = ("Tank at the pear row", "Accounts", "Cockerels")
    listed = "\n".join(f"- {point}" for point in points)
    made = _message("Einladung: Sitzung im Mai – größere Runde", _FROM, "Mon, 10 May 2021 18:40:00 +0200",
                    "\n\n".join((*lines, listed)) + "\n")  # fmt: skip
    page = "".join(f"<p>{line}</p>" for line in lines) + "<ul>" + "".join(f"<li>{point}</li>" for point in points)
    made.add_alternative(f"<html><body>{page}</ul></body></html>", subtype="html")
    (FILES / "agenda.eml").write_bytes(made.as_bytes())
    found = [*_paragraphs(*lines), {"text": "\n".join(points), "kind": "list"}]
    Truth("Python's email", ("text and page of the same", "encoded subject")).add(
        found, title="Einladung: Sitzung im Mai – größere Runde", author="?", date="2021-05-10"
    ).save("agenda.eml")


def attached() -> None:
    """A message with a document attached."""
    lines = (
        "The report on the orchards is attached.",
        "The map is only a sketch and shows five of the seven orchards.",
    )
    made = _message("Report on the orchards", _FROM, "Wed, 04 Nov 2020 08:05:00 +0100", "\n\n".join(lines) + "\n")
    report = (
        "Seven orchards belong to the town. They have 1,946 trees.",
        "The oldest of them was planted at Cold Ash in 1889.",
    )
    made.add_attachment("\n\n".join(report) + "\n", filename="orchards.txt")
    (FILES / "orchards.eml").write_bytes(made.as_bytes())
    truth = Truth("Python's email", ("attachment",))
    truth.add(_paragraphs(*lines), title="Report on the orchards", author="?", date="2020-11-04")
    truth.add(_paragraphs(*report), file="orchards.txt", title="?", author="?", date="?").save("orchards.eml")


def mailbox() -> None:
    """Four messages, one with a line that begins with "From"."""
    truth = Truth("by hand", ("four messages", "a line that begins with From", "quoted mail"))
    made = b""
    for number, (subject, lines, debris) in enumerate(
        (
            ("Keys of the hall", ("Who has the second key of the hall? The lock was changed on 9 June.",
             "From now on the key hangs at plot 12."), ()),
            ("Re: Keys of the hall", ("I have it, and I shall bring it on Sunday.",),
             ("> Who has the second key of the hall?",)),
            ("Honey", ("The eleven stands gave 143 kilograms of honey this year, which is twice as much as last year.",
             "Jars can be had for six crowns each."), ()),
            ("Re: Honey", ("Please put four jars aside for the library.",),
             ("> Jars can be had for six crowns each.",)),
        ),
        start=1,
    ):  # fmt: skip
        day = f"{number + 8:02} Jun 2021 12:00:00 +0200"
        body = "\n\n".join((*lines, *debris)) + "\n"
        content = _message(subject, _FROM, day, body).as_bytes().replace(b"\r\n", b"\n")
        content = content.replace(b"\nFrom now", b"\n>From now")
        made += b"From marion@kilnlane.example Wed Jun  9 12:00:00 2021\n" + content + b"\n"
        found = _paragraphs(*lines, debris=tuple(line.replace(">", "") for line in debris))
        truth.add(found, file=str(number), title=subject, author="?", date=f"2021-06-{number + 8:02}")
    (FILES / "kilnlane.mbox").write_bytes(made)
    truth.save("kilnlane.mbox")
