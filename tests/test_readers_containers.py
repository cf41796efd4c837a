"""Files that hold others: every good member is read under its own name, the rest is refused in words, all bounded."""

import gzip
import io
import zipfile
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_document, read_file
from rag_geo.readers.containers import MAX_DEPTH, Names, member_name, printable
from rag_geo.records import Document, Skipped


def zipped(*members):
    """A ZIP archive of (name or ZipInfo, content) in this order."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def texts(file, data):
    """What is read, by name: the text of documents."""
    return {one.file: one.text for one in read_file(file, data) if isinstance(one, Document)}


def reasons(file, data):
    """What is not read, by name, and why."""
    return {one.file: one.reason for one in read_file(file, data) if isinstance(one, Skipped)}


# ZIP


def test_every_file_in_the_folders_of_an_archive_is_a_document_below_its_name():
    data = zipped(
        ("a.txt", "One."), ("b/c/d.md", "# Two\n\nThree."), ("b/", ""), ("e.html", "<html><p>Four.</p></html>")
    )
    assert texts("x/2019.zip", data) == {
        "x/2019.zip/a.txt": "One.",
        "x/2019.zip/b/c/d.md": "# Two\n\nThree.",
        "x/2019.zip/e.html": "Four.",
    }
    assert reasons("x/2019.zip", data) == {}
    assert [one.title for one in read_file("x/2019.zip", data)] == ["a", "Two", "e"]


def test_hidden_files_and_what_desktops_leave_are_passed_over():
    data = zipped((".DS_Store", "x"), ("__MACOSX/a.txt", "x"), ("a/.git/config", "x"), ("a.txt", "One."))
    assert [one.file for one in read_file("x.zip", data)] == ["x.zip/a.txt"]


def test_names_of_old_and_foreign_programs_are_mended():
    windows = zipfile.ZipInfo("placeholder")
    windows.filename = "C:\\reports\\may.txt"
    data = zipped(("gr--n.txt", "One."), (windows, "Two."), ("/home/me/three.txt", "Three."), ("./four.txt", "Four."))
    unmarked = data.replace(b"gr--n.txt", "grün.txt".encode())
    assert list(texts("x.zip", unmarked)) == [
        "x.zip/grün.txt",
        "x.zip/reports/may.txt",
        "x.zip/home/me/three.txt",
        "x.zip/four.txt",
    ]


def test_a_name_that_cannot_be_shown_gets_marks_instead():
    data = zipped(("red\x1b[31m\u202egpj.txt", "One."))
    assert list(texts("x.zip", data)) == ["x.zip/red\ufffd[31m\ufffdgpj.txt"]


def test_a_name_that_leads_out_of_the_archive_is_refused():
    data = zipped(("../../etc/passwd", "x"), ("a/../../b.txt", "y"), ("good.txt", "Good."), ("..", "z"))
    assert texts("x.zip", data) == {"x.zip/good.txt": "Good."}
    assert set(reasons("x.zip", data).values()) == {"its name leads out of the archive"}
    assert all(".." not in file for file in reasons("x.zip", data))


def test_two_members_of_one_name_are_two_documents():
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a/b.txt", "One."), ("a/b.txt", "Two."), ("a/b.txt", "Three."), ("a/b (2).txt", "Four."))
    assert texts("x.zip", data) == {
        "x.zip/a/b.txt": "One.",
        "x.zip/a/b (2).txt": "Two.",
        "x.zip/a/b (3).txt": "Three.",
        "x.zip/a/b (2) (2).txt": "Four.",
    }


def test_a_symbolic_link_is_not_followed():
    link = zipfile.ZipInfo("link.txt")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    assert reasons("x.zip", zipped((link, "/etc/passwd"))) == {"x.zip/link.txt": "a symbolic link"}


def test_a_locked_archive_needs_a_password_and_a_locked_member_too():
    data = bytearray(zipped(("a.txt", "One."), ("b.txt", "Two.")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert reasons("x.zip", bytes(data)) == {"x.zip/a.txt": "needs a password"}
    assert texts("x.zip", bytes(data)) == {"x.zip/b.txt": "Two."}
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert read_file("x.zip", bytes(data)) == (Skipped("x.zip", "needs a password"),)


def test_what_cannot_be_read_in_an_archive_is_named_with_its_reason():
    data = zipped(("a.png", b"\x89PNG\r\n\x1a\n"), ("empty.txt", ""), ("blank.txt", " \n"), ("b.txt", "Good."))
    assert reasons("x.zip", data) == {
        "x.zip/a.png": "a PNG picture",
        "x.zip/empty.txt": "empty",
        "x.zip/blank.txt": "empty: nothing in it can be seen",
    }


def test_an_archive_in_an_archive_is_named_and_not_opened():
    inner = zipped(("a.txt", "One."))
    packed = gzip.compress(inner)
    reason = "a ZIP archive inside another: take it out to have it read"
    assert reasons("x.zip", zipped(("in.zip", inner), ("in.zip.gz", packed))) == {
        "x.zip/in.zip": reason,
        "x.zip/in.zip.gz": reason,
    }


def test_a_damaged_member_does_not_stop_the_rest():
    data = zipped(("a.txt", "One. " * 50), ("b.txt", "Two."))
    at = data.index(b"a.txt") + 7
    broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
    assert reasons("x.zip", broken) == {"x.zip/a.txt": "damaged: cannot be unpacked"}
    assert texts("x.zip", broken) == {"x.zip/b.txt": "Two."}


def test_an_archive_of_nothing_is_empty():
    assert read_file("x.zip", zipped()) == (Skipped("x.zip", "empty: a ZIP archive without files"),)
    assert read_file("x.zip", zipped(("a/", ""))) == (Skipped("x.zip", "empty: a ZIP archive without files"),)


def test_a_member_that_unpacks_to_far_more_than_it_says_or_should_is_refused():
    bomb = b"0" * (70 << 20)
    refused = reasons("x.zip", zipped(("bomb.txt", bomb), ("good.txt", "Good.")))
    assert refused == {"x.zip/bomb.txt": "unpacks to more than 64 MB"}


def test_all_that_is_unpacked_from_one_file_is_bounded_together_however_it_is_nested(monkeypatch):
    """Twenty packed texts in an archive, each within the limit for itself, together beyond that for all."""
    monkeypatch.setattr("rag_geo.readers.archives.MAX_BYTES", 200_000)
    monkeypatch.setattr("rag_geo.readers.containers.MAX_BYTES", 200_000)
    packed = gzip.compress(b"Some words. " * 1000)
    results = read_file("x.zip", zipped(*((f"{n}.txt.gz", packed) for n in range(20))))
    read = [one for one in results if isinstance(one, Document)]
    assert 10 < len(read) <= 200_000 // 12_000
    assert {one.reason for one in results if isinstance(one, Skipped)} == {"unpacks to more than 0 MB"}
    assert len(results) == 20


def test_archives_in_one_mailbox_are_bounded_together(monkeypatch):
    monkeypatch.setattr("rag_geo.readers.archives.MAX_BYTES", 100_000)
    words = "Some words. " * 1000
    message = letter()
    for n in range(4):
        archive = zipped((f"{n}a.txt", words), (f"{n}b.txt", words), (f"{n}c.txt", words))
        message.add_attachment(archive, maintype="application", subtype="zip", filename=f"{n}.zip")
    results = read_file("m.eml", message.as_bytes())
    assert [one.file for one in results if isinstance(one, Document)] == [
        "m.eml", *(f"m.eml/{n}.zip/{n}{part}.txt" for n in range(3) for part in "abc" if (n, part) != (2, "c")),
    ]  # fmt: skip
    assert len(results) == 13


def test_the_number_of_members_is_bounded():
    data = zipped(*((f"{n}.txt", "x") for n in range(10_001)))
    assert read_file("x.zip", data) == (Skipped("x.zip", "has more than 10,000 files in it"),)


# gzip


def test_a_packed_text_keeps_its_name_and_is_read_as_what_it_is_without_the_ending():
    (document,) = read_file("notes.md.gz", gzip.compress(b"# Title\n\nText."))
    assert isinstance(document, Document)
    assert (document.file, document.format, document.title) == ("notes.md.gz", "markdown", "Title")
    assert read_document("table.csv.gz", gzip.compress(b"a,b\n1,2\n")).file == "table.csv.gz"


def test_a_file_packed_in_pieces_is_read_whole():
    data = b"".join(gzip.compress(piece) for piece in (b"One.\n\n", b"Two.\n\n", b"Three."))
    assert texts("a.txt.gz", data) == {"a.txt.gz": "One.\n\nTwo.\n\nThree."}


def test_a_gzip_file_that_is_damaged_empty_or_a_bomb_is_refused():
    whole = gzip.compress(b"words " * 1000)
    assert reasons("a.gz", whole[:-20]) == {"a.gz": "damaged: it cannot be unpacked"}
    assert reasons("a.gz", whole[:20] + b"\xff" * 9 + whole[29:]) == {"a.gz": "damaged: it cannot be unpacked"}
    assert reasons("a.gz", gzip.compress(b"")) == {"a.gz": "empty"}
    bomb = reasons("a.gz", gzip.compress(b"0" * (80 << 20)))["a.gz"]
    assert bomb.startswith("unpacks to more than ")


def test_files_packed_over_and_over_are_opened_only_so_deep():
    data = b"Some words."
    for _ in range(MAX_DEPTH):
        data = gzip.compress(data)
    assert texts("a.txt.gz", data) == {"a.txt.gz": "Some words."}
    assert reasons("a.txt.gz", gzip.compress(data)) == {
        "a.txt.gz": f"a gzip file, {MAX_DEPTH} files deep: take it out to have it read"
    }


# mailboxes


def mail(subject, body="Text.", **headers):
    lines = {"From": "Ann <ann@example.org>", "Date": "Mon, 1 Feb 2021 10:00:00 +0000", "Subject": subject, **headers}
    return "".join(f"{name}: {value}\n" for name, value in lines.items()) + f"\n{body}\n"


SEPARATOR = "From ann@example.org Mon Feb  1 10:00:00 2021\n"


def mailbox(*messages):
    return "\n".join(SEPARATOR + message for message in messages).encode()


def test_each_message_of_a_mailbox_is_a_document():
    results = read_file("mails.mbox", mailbox(mail("One"), mail("Two"), mail("Three")))
    assert [(one.file, one.title) for one in results] == [
        ("mails.mbox/1", "One"),
        ("mails.mbox/2", "Two"),
        ("mails.mbox/3", "Three"),
    ]
    assert {one.format for one in results} == {"email"}


def test_lines_that_begin_with_from_are_text_when_no_message_begins_there():
    body = "First.\n\n>From here on it rained.\n\nFrom now on at 10:30 it snows.\n\nFrom then on\nnote: it froze."
    (only,) = read_file("mails.mbox", mailbox(mail("One", body)))
    assert (
        only.text
        == "One\n\nFirst.\n\nFrom here on it rained.\n\nFrom now on at 10:30 it snows.\n\nFrom then on\nnote: it froze."
    )


def test_a_mailbox_with_the_line_ends_of_windows_is_read_the_same():
    data = mailbox(mail("One"), mail("Two", "A.\n\nB."))
    windows = data.replace(b"\n", b"\r\n")
    assert texts("m", windows) == texts("m", data) == {"m/1": "One\n\nText.", "m/2": "Two\n\nA.\n\nB."}


def test_a_message_deleted_in_the_mail_program_is_not_read():
    box = mailbox(
        mail("One"), mail("Two", **{"X-Mozilla-Status": "0009"}), mail("Three", **{"X-Mozilla-Status": "0001"})
    )
    assert list(texts("m", box)) == ["m/1", "m/3"]
    assert reasons("m", box) == {"m/2": "deleted in the mail program"}


def test_a_mailbox_of_thousands_of_messages_is_read_message_by_message():
    box = mailbox(*(mail(f"Number {n}") for n in range(2_000)))
    results = read_file("m.mbox", box)
    assert len(results) == 2_000
    assert results[-1].title == "Number 1999"


# attachments


def letter():
    message = EmailMessage()
    message["From"], message["Subject"] = "Ann <ann@example.org>", "The report"
    message["Date"], message["Message-ID"] = "Mon, 1 Feb 2021 10:00:00 +0000", "<1@example.org>"
    message.set_content("See below.\n")
    return message


def test_the_attachments_of_a_message_are_documents_below_it():
    message = letter()
    message.add_attachment("# Notes\n\nSome.", filename="notes.md")
    message.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="façade.png")
    message.add_attachment("Other.", filename="notes.md")
    message.add_attachment(zipped(("in/a.txt", "Packed.")), maintype="application", subtype="zip", filename="all.zip")
    assert texts("mail.eml", message.as_bytes()) == {
        "mail.eml": "The report\n\nSee below.",
        "mail.eml/notes.md": "# Notes\n\nSome.\n",
        "mail.eml/notes (2).md": "Other.\n",
        "mail.eml/all.zip/in/a.txt": "Packed.",
    }
    assert reasons("mail.eml", message.as_bytes()) == {"mail.eml/façade.png": "a PNG picture"}


def test_a_forwarded_message_is_a_document_with_its_own_attachments():
    inner = letter()
    inner.replace_header("Subject", "The first")
    inner.add_attachment("Deep.", filename="deep.txt")
    outer = letter()
    outer.add_attachment(inner)
    assert texts("m.mbox", SEPARATOR.encode() + outer.as_bytes()) == {
        "m.mbox/1": "The report\n\nSee below.",
        "m.mbox/1/The first.eml": "The first\n\nSee below.",
        "m.mbox/1/The first.eml/deep.txt": "Deep.\n",
    }


def test_pictures_within_the_text_and_signatures_are_passed_over():
    message = letter()
    message.add_alternative("<p>See <img src='cid:1'> below.</p>", subtype="html")
    message.get_payload()[1].add_related(b"\x89PNG\r\n\x1a\n", "image", "png", cid="<1>", filename="logo.png")
    message.add_attachment(b"0", maintype="application", subtype="pgp-signature", filename="signature.asc")
    assert [one.file for one in read_file("mail.eml", message.as_bytes())] == ["mail.eml"]


def test_an_attachment_cannot_name_itself_out_of_its_message():
    message = letter()
    message.add_attachment("One.", filename="../../../one.txt")
    message.add_attachment("Two.", filename="C:\\x\\two.txt")
    message.add_attachment("Three.", filename="..")
    assert list(texts("mail.eml", message.as_bytes())) == [
        "mail.eml", "mail.eml/one.txt", "mail.eml/two.txt", "mail.eml/attachment",
    ]  # fmt: skip


# properties


@given(st.lists(st.sampled_from(["a", "a.txt", "b/a.txt", "a (2).txt", "a (2)", "a (3).txt"]), max_size=20))
def test_no_two_members_get_one_name(names):
    taken = Names()
    given_names = [taken.add(name) for name in names]
    assert len(set(given_names)) == len(names)
    assert set(names) <= set(given_names)


@given(st.text(max_size=60))
def test_a_name_that_is_shown_holds_nothing_but_what_can_be_shown(name):
    assert printable(name).isprintable()
    assert printable(printable(name)) == printable(name)
    if name:
        assert "\\" not in member_name(zipfile.ZipInfo(name.replace("\0", "") or "x"))


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_byte_of_a_mailbox_is_lost_or_read_twice(bodies):
    """Each body stands in exactly one message, whatever is in it."""
    marked = [mail(f"Number {n}") + body.hex() + "\n" for n, body in enumerate(bodies)]
    results = read_file("m.mbox", mailbox(*marked)) if marked else ()
    assert len(results) == len(bodies)
    for body, one in zip(bodies, results, strict=True):
        assert body.hex() in one.text
