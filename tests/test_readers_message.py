"""E-mail: what its sender wrote is the text; what others wrote before, and signatures, are debris; bad mail is read."""

import base64
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_document, read_file
from rag_geo.readers.message import QUOTED, SIGNATURE
from rag_geo.records import Document, Skipped

HEAD = "From: Ann Ames <ann@example.org>\nTo: bob@example.org\nDate: 1 Feb 2021 10:00:00 +0000\nSubject: The pier\n"


def read(body, more="", head=HEAD):
    data = f"{head}{more}\n{body}".encode() if isinstance(body, str) else f"{head}{more}\n".encode() + body
    document = read_document("mail.eml", data)
    assert isinstance(document, Document), document
    return document


def live(document):
    """The paragraphs that are no debris, without the subject."""
    return [document.text[one.start : one.end] for one in document.paragraphs if not one.debris][1:]


def debris(document):
    return [(one.debris, document.text[one.start : one.end]) for one in document.paragraphs if one.debris]


# headers


def test_the_subject_is_title_and_heading_and_the_head_says_who_and_when():
    document = read("First.\n\nSecond.\n", "Cc: Cy <cy@example.org>, d@example.org\n")
    assert (document.title, document.author, document.date) == ("The pier", "Ann Ames", "2021-02-01")
    assert (document.paragraphs[0].kind, document.paragraphs[1].heading) == ("heading", "The pier")
    assert live(document) == ["First.", "Second."]
    assert dict(document.metadata) == {
        "from": "Ann Ames <ann@example.org>",
        "to": "bob@example.org",
        "cc": "Cy <cy@example.org>, d@example.org",
    }


def test_encoded_folded_and_raw_headers_are_read():
    head = (
        "From: =?utf-8?B?QW5uZSBNw7xsbGVy?= <am@example.org>\nDate: Mon, 1 Feb 2021 10:00:00 +0000\n"
        "Subject: =?iso-8859-1?Q?Gr=FC=DFe?= from the\n  =?utf-8?Q?caf=C3=A9?=\nTo: Jürgen <j@example.org>\n"
    )
    document = read("Text.", head=head)
    assert (document.title, document.author) == ("Grüße from the café", "Anne Müller")
    assert "Jürgen" in dict(document.metadata)["to"]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sun, 31 Jan 2021 23:30:00 -0800", "2021-01-31"),
        ("1 Feb 21 10:00 GMT", "2021-02-01"),
        ("Mon Feb  1 10:00:00 2021", "2021-02-01"),
        ("Mon, 32 Feb 2021 10:00:00 +0000", ""),
        ("Mon, 1 Feb 99999999999999999999 10:00:00 +0000", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_the_date_is_the_day_where_it_was_written(date, expected):
    assert read("Text.", head=f"From: a@b.c\nSubject: x\nDate: {date}\n").date == expected


@pytest.mark.parametrize(
    "head",
    [
        "From: (((((((((\nSubject: x\n",
        "From: " + "(" * 50_000 + "\nSubject: x\n",
        "From: " + "<" * 50_000 + "\nSubject: x\n",
        "From: " + "a@b, " * 50_000 + "\nSubject: x\n",
        'From: "unclosed <a@b>\nSubject: x\n',
        "From: =?nonsense?Q?=FF?= <a@b>\nSubject: x\n",
        "From: =?utf-8?B?not base64!?= <>\nSubject: x\n",
        "Subject: x\nFrom:\n",
        'Subject: x\nContent-Type: text/plain; charset=; format="\n',
        "Subject: x\nContent-Type: text/plain; charset*=unknown''x\n",
        "Subject: x\nContent-Type: /\nContent-Transfer-Encoding: rot13\n",
        "Subject: x\nDate: " + "1 " * 9_000 + "\n",
    ],
)
def test_headers_that_break_every_rule_do_not_stop_the_text(head):
    assert live(read("The text.", head=head)) == ["The text."]


def test_a_subject_too_long_to_be_one_is_cut():
    assert len(read("Text.", head=f"Subject: {'long ' * 20_000}\n").title) <= 2_000


# charsets and transfer


@pytest.mark.parametrize(
    ("charset", "encoded"),
    [
        ("utf-8", "Füße, 10 €"),
        ("windows-1252", "Füße, 10 €"),
        ("iso-8859-15", "Füße, 10 €"),
        ("koi8-r", "Новый мост через реку"),
        ("iso-2022-jp", "新しい橋"),
        ("gb18030", "河上的新桥"),
    ],
)
def test_every_common_charset_is_read(charset, encoded):
    document = read(encoded.encode(charset), f"Content-Type: text/plain; charset={charset}\n")
    assert live(document) == [encoded]


def test_a_wrong_or_missing_charset_is_found_out():
    wrong = read("Füße und Wälder".encode(), "Content-Type: text/plain; charset=iso-8859-1\n")
    assert live(wrong) == ["Füße und Wälder"]
    missing = read("Füße und Wälder".encode("cp1252"))
    assert live(missing) == ["Füße und Wälder"]
    assert missing.warnings
    assert live(read("Füße".encode("cp1252"), "Content-Type: text/plain; charset=x-unknown\n")) == ["Füße"]


def test_quoted_printable_and_base64_are_unpacked_even_when_damaged():
    quoted = "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n"
    assert live(read("A long =\nline, 5 =E2=82=AC, bad =ZZ.", quoted)) == ["A long line, 5 €, bad =ZZ."]
    packed = base64.b64encode("Füße".encode()).decode()
    based = "Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=utf-8\n"
    assert live(read(packed, based)) == ["Füße"]
    assert live(read(packed.rstrip("="), based)) == ["Füße"]


# what earlier mails said


def test_what_is_quoted_is_debris_with_the_line_that_says_whose_it_is():
    document = read(
        "I agree.\n\nOn Monday, Bob <b@example.org>\nwrote:\n\n> The pier is old.\n> > Is it?\n\nSee you.\n"
    )
    assert live(document) == ["I agree.", "See you."]
    assert {rule for rule, _ in debris(document)} == {QUOTED}
    assert "wrote:" in debris(document)[0][1]


@pytest.mark.parametrize(
    "line",
    [
        "Am 3. Mai 2021 um 10:00 schrieb Bob <b@example.org>:",
        "Le lun. 3 mai 2021 à 10:00, Bob a écrit :",
        "El lun, 3 may 2021, Bob escribió:",
        "Bob writes:",
    ],
)
def test_the_line_that_says_whose_the_quote_is_is_known_in_other_languages(line):
    assert live(read(f"Yes.\n\n{line}\n> The pier is old.\n")) == ["Yes."]


def test_a_sentence_before_a_quote_that_says_nothing_of_an_author_stays():
    assert live(read("The law says so:\n> No pier shall be closed.\n\nIt is closed.\n")) == [
        "The law says so:",
        "It is closed.",
    ]


@pytest.mark.parametrize(
    "earlier",
    [
        "-----Original Message-----\nFrom: Bob\nSent: Monday\nTo: Ann\nSubject: x\n\nThe pier is old.\n",
        "________________________________\nFrom: Bob <b@example.org>\nSent: Monday\nTo: Ann\n\nThe pier is old.\n",
        "Von: Bob\nGesendet: Montag\nAn: Ann\nBetreff: x\n\nThe pier is old.\n",
    ],
)
def test_all_that_stands_below_an_earlier_mail_is_quoted(earlier):
    document = read(f"Yes.\n\n{earlier}")
    assert [text for text in live(document) if "___" not in text] == ["Yes."]
    assert (QUOTED, "The pier is old.") in debris(document)


def test_a_mail_that_is_nothing_but_a_quote_is_read():
    assert live(read("> The pier is old.\n> It will be closed.\n")) == ["> The pier is old.\n> It will be closed."]


def test_signatures_and_what_mailing_lists_add_are_debris():
    assert debris(read("Text.\n\n-- \nAnn Ames\nPier Street 1\n")) == [(SIGNATURE, "-- \nAnn Ames\nPier Street 1")]
    assert debris(read("Text.\n\n--\nAnn Ames\n"))[0][0] == SIGNATURE
    added = f"{'_' * 47}\nPier mailing list\nhttps://example.org/pier\n"
    document = read(f"Text.\n\n{added}")
    assert live(document) == ["Text."]
    assert {rule for rule, _ in debris(document)} == {SIGNATURE}


def test_dashes_and_lines_within_a_text_are_no_signature():
    long = "\n".join(f"Line {n} of the minutes." for n in range(20))
    assert len(live(read(f"Text.\n\n--\n{long}\n\n{'_' * 30}\n{long}\n"))) > 1
    assert not debris(read(f"Text.\n\n--\n{long}\n\n{'_' * 30}\n{long}\n"))


def test_flowed_lines_are_joined_and_stuffing_is_taken_off():
    flowed = "Content-Type: text/plain; charset=utf-8; format=flowed\n"
    body = "The pier \nwas closed \nin May.\nIt opens again.\n\n From here on.\n\n> quoted \n> line\n-- \nAnn\n"
    document = read(body, flowed)
    assert live(document) == ["The pier was closed in May.\nIt opens again.", "From here on."]
    assert debris(document) == [(QUOTED, "> quoted line"), (SIGNATURE, "-- \nAnn")]
    assert live(read("新しい \n橋\n", flowed.replace("flowed", "flowed; delsp=yes"))) == ["新しい橋"]


# parts


def letter(plain=None, html=None):
    message = EmailMessage()
    message["From"], message["Subject"] = "Ann <ann@example.org>", "The pier"
    if plain is not None:
        message.set_content(plain)
        if html is not None:
            message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    return message


def read_message(message):
    document = read_document("mail.eml", message.as_bytes())
    assert isinstance(document, Document), document
    return document


PAGE = "<html><body><p>The <b>pier</b> is closed.</p><p>It opens in May.</p></body></html>"


def test_of_two_forms_of_a_text_the_plain_one_is_read_once():
    assert live(read_message(letter("Plain words.", PAGE))) == ["Plain words."]


def test_a_plain_form_that_only_says_there_is_another_is_not_the_text():
    document = read_message(letter("See the HTML part.", f"<p>{'The pier is closed until May. ' * 9}</p>"))
    assert live(document)[0].startswith("The pier is closed")


def test_a_message_that_is_a_page_is_read_as_one_without_quotes_and_signature():
    page = PAGE.replace(
        "</body>",
        "<div class='gmail_signature'>Ann Ames</div><div class='gmail_quote'>On Monday Bob wrote:"
        "<blockquote type='cite'><p>Old words.</p></blockquote></div></body>",
    )
    document = read_message(letter(html=page))
    assert live(document) == ["The pier is closed.", "It opens in May."]
    assert debris(document) == [
        (SIGNATURE, "Ann Ames"),
        (QUOTED, "On Monday Bob wrote:"),
        (QUOTED, "Old words."),
    ]


def test_what_outlook_puts_below_its_answer_is_quoted():
    earlier = "<div id='divRplyFwdMsg'><b>From:</b> Bob</div>\n<div><p>Old words.</p></div>"
    document = read_message(letter(html=f"<div><p>New words.</p></div><hr>{earlier}"))
    assert live(document) == ["New words."]
    assert debris(document) == [(QUOTED, "From: Bob"), (QUOTED, "Old words.")]


def test_a_page_that_is_nothing_but_a_quote_is_read():
    assert live(read_message(letter(html="<blockquote type='cite'><p>Old words.</p></blockquote>"))) == ["Old words."]


def test_a_page_in_an_old_charset_is_read_as_the_part_says():
    content = "<p>Füße</p>".encode("latin-1")
    assert live(read(content, "Content-Type: text/html; charset=iso-8859-1\n")) == ["Füße"]


def test_several_texts_one_after_the_other_are_all_read():
    parts = "".join(f"--b\nContent-Type: text/plain\n\nPart {n}.\n" for n in range(3))
    assert live(read(f"{parts}--b--\n", "Content-Type: multipart/mixed; boundary=b\n")) == [
        "Part 0.",
        "Part 1.",
        "Part 2.",
    ]


def test_a_message_cut_off_in_the_middle_is_read_so_far():
    whole = letter("Plain words.", PAGE).as_bytes()
    for cut in range(whole.index(b"Plain") + 5, len(whole), 7):
        assert any(isinstance(one, Document) for one in read_file("mail.eml", whole[:cut]))


def test_a_message_as_apple_mail_keeps_it_is_read_without_what_is_around_it():
    message = f"{HEAD}\nThe text.\n".encode()
    data = f"{len(message)}      \n".encode() + message + b'<?xml version="1.0"?>\n<plist><dict/></plist>\n'
    (document,) = read_file("1234.emlx", data)
    assert (document.title, live(document)) == ("The pier", ["The text."])


def test_an_encrypted_message_is_refused():
    words = "encrypted: only the program of the one it was sent to can show it"
    for kind in ("multipart/encrypted; boundary=b", "application/pkcs7-mime; smime-type=enveloped-data"):
        data = f"{HEAD}Content-Type: {kind}\n\n--b\n\nx\n--b--\n".encode()
        assert read_file("mail.eml", data) == (Skipped("mail.eml", words),)


@pytest.mark.parametrize("depth", [50, 3_000])
def test_parts_in_parts_are_read_or_refused_however_deep(depth):
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    (one,) = read_file("mail.eml", f"{HEAD}{parts}\nDeep.\n".encode())
    if depth == 50:
        assert live(one) == ["Deep."]
    else:
        assert one == Skipped("mail.eml", "damaged: too deeply nested for an e-mail")


SAVED = """From: <Saved by Blink>
Snapshot-Content-Location: https://example.org/pier
Subject: The pier
Date: Mon, 1 Feb 2021 10:00:00 -0000
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="b"

--b
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable
Content-Location: https://example.org/pier

<!DOCTYPE html><html><head><meta charset=3D"iso-8859-1"><title>The pier</title><meta name=3D"author" =
content=3D"Ann Ames"></head><body><nav>Menu</nav><p>It is closed, F=C3=BC=C3=9Fe.</p></body></html>
--b
Content-Type: text/css
Content-Location: cid:css-1@mhtml.blink

p { color: red }
--b
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-Location: https://example.org/logo.png

iVBORw0KGgo=
--b--
"""


@pytest.mark.parametrize("name", ["pier.mhtml", "pier.mht", "pier"])
def test_a_page_that_a_browser_saved_as_one_file_is_a_page(name):
    (document,) = read_file(name, SAVED.encode())
    assert isinstance(document, Document)
    assert (document.format, document.title, document.author, document.date) == ("html", "The pier", "Ann Ames", "")
    assert [document.text[one.start : one.end] for one in document.paragraphs if not one.debris] == [
        "It is closed, Füße."
    ]


WHOLE = letter("Plain words.\n\n> Quoted.\n\n-- \nAnn", PAGE)
WHOLE.add_attachment("Attached.", filename="a.txt")
BYTES = WHOLE.as_bytes()


@given(st.lists(st.tuples(st.integers(0, len(BYTES) - 1), st.binary(max_size=4)), max_size=8))
def test_a_damaged_message_is_read_as_far_as_possible_and_never_raises(changes):
    data = BYTES
    for at, piece in changes:
        data = data[:at] + piece + data[at + len(piece) :]
    for one in read_file("mail.eml", data):
        assert one.file.startswith("mail.eml")
        assert isinstance(one, Document) or one.reason


LINES = ["> a", ">> b", "", "On x, Bob wrote:", "-- ", "--", "words", "From: B", "Sent: x", "_" * 30]


@given(st.lists(st.sampled_from(LINES)), st.booleans())
def test_no_line_of_a_message_is_lost_whatever_is_debris(lines, flowed):
    document = read("\n".join(lines), "Content-Type: text/plain; format=flowed\n" if flowed else "")
    assert "".join("".join(lines).split()) == "".join(document.text.removeprefix("The pier").split())
