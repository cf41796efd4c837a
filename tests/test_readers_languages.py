import pytest

from rag_geo.readers import read_file
from rag_geo.settings import ReadingSettings

GERMAN = (
    "Das Werk wurde im 19. Jahrhundert gebaut und hat heute rund 40 Beschäftigte. Es liefert z. B. Schrauben, "
    "die in der ganzen Stadt verkauft werden."
)
ENGLISH = "The works were built in the 19th century and have 40 workers today. They sell, e.g., screws to the town."


def read(name, text):
    (document,) = read_file(name, text.encode(), ReadingSettings())
    return document


def sentences(document):
    return [document.text[start:end] for paragraph in document.paragraphs for start, end in paragraph.sentences]


@pytest.mark.parametrize(
    ("name", "frame"),
    [("a.txt", "{}"), ("a.md", "# Werk\n\n{}\n"), ("a.html", "<html><body><main><p>{}</p></main></body></html>")],
)
def test_a_document_says_its_language_and_its_sentences_follow_it(name, frame):
    document = read(name, frame.format(GERMAN))
    assert document.language == "de"
    assert sentences(document)[-2:] == [GERMAN[: GERMAN.index(" Es")], GERMAN[GERMAN.index("Es liefert") :]]
    assert read(name, frame.format(ENGLISH)).language == "en"


def test_what_is_hidden_has_no_part_in_the_language():
    assert read("a.md", f"---\ntitle: The state of the works of the town\n---\n\n{GERMAN}").language == "de"
    assert read("a.md", f"<!-- {ENGLISH * 5} -->\n\n{GERMAN}").language == "de"


def test_a_document_without_a_clear_language_has_none():
    assert read("a.txt", "Adams 12, Baker 13, Clark 14").language == ""
