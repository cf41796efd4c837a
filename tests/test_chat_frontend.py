import asyncio
import base64
import hashlib
import importlib.util
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag_geo.chat.frontend import (
    MENDED,
    MENDED_MORPH,
    MOST_LYING_BYTES,
    TEMPLATE,
    FrontEnd,
    mended_component,
    names_uploads_only,
    own_files,
    page_html,
)
from rag_geo.chat.guard import UPLOAD
from rag_geo.chat.views import source_html
from rag_geo.errors import UsageError
from rag_geo.readers import read_document

BUILT = Path(importlib.util.find_spec("gradio").origin).parent / "templates" / "frontend"
CONFIG = '{"title":"\\u003cscript\\u003e","x":"{style}"}'
FILLED = re.sub(
    r"\{\{.*?\}\}", "", (BUILT / "index.html").read_text().replace("{{ config | toorjson }}", CONFIG)
    .replace("{{ gradio_api_info | toorjson }}", "{}"), flags=re.DOTALL,
)  # fmt: skip


def test_gradios_page_is_carried_over_without_its_inline_styles_and_foreign_addresses():
    assert "https://" in FILLED
    assert "style=" in FILLED
    page, _ = page_html(FILLED)
    assert "https://" not in page
    assert "http://" not in page
    assert "style=" not in page
    assert "<style" not in page
    assert "iframeResizer" not in page
    assert f"window.gradio_config = {CONFIG};" in page


def test_the_policy_names_the_one_inline_script_by_its_hash():
    page, policy = page_html(FILLED)
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(inline) == 1
    digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy


def test_the_files_that_the_page_names_are_there():
    page, _ = page_html(FILLED)
    named = re.findall(r'(?:src|href)="((?:assets|chat)/[^"]+)"', page)
    assert len(named) == 5
    for name in named:
        assert f"/{name}" in own_files() or (BUILT / name).is_file()


@pytest.mark.parametrize("harm", ["gradio_config", "gradio_api_info", 'type="module"', 'rel="stylesheet"'])
def test_a_page_of_another_gradio_is_refused(harm):
    with pytest.raises(UsageError, match="Gradio"):
        page_html(FILLED.replace(harm, "x"))


def test_the_html_component_makes_no_function_of_what_it_shows():
    name, script = mended_component(BUILT / "assets")
    assert (BUILT / "assets" / name).read_text().count(TEMPLATE) == 1
    assert script.decode().count(MENDED) == 1


def test_a_document_is_shown_at_once_and_not_compared_with_the_one_before_node_by_node():
    _, script = mended_component(BUILT / "assets")
    assert script.decode().count(MENDED_MORPH) == 1
    document = read_document("a.txt", b"One.")
    assert source_html(document).startswith(re.search(r"startsWith\('(.*?)'\)", MENDED_MORPH)[1])


def test_a_component_of_another_gradio_is_refused(tmp_path):
    (tmp_path / "HTML-x.js").write_text("function other(){}")
    with pytest.raises(UsageError, match="Gradio"):
        mended_component(tmp_path)


@pytest.mark.parametrize("harm", [None, ("gradio_config", "x")])
def test_another_gradio_is_refused_before_anybody_asks_for_its_page(tmp_path, harm):
    assets = tmp_path / "assets"
    shutil.copytree(BUILT / "assets", assets, ignore=lambda _, names: [each for each in names if each[:5] != "HTML-"])
    if harm:
        (tmp_path / "index.html").write_text((BUILT / "index.html").read_text().replace(*harm))
    with pytest.raises(UsageError, match="Gradio"):
        FrontEnd().becomes(gradio(), assets)
    (tmp_path / "index.html").write_bytes((BUILT / "index.html").read_bytes())
    FrontEnd().becomes(gradio(), assets)


def get(app, path="/"):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(
        app({"type": "http", "method": "GET", "path": path, "headers": [(b"accept-encoding", b"br")]}, None, send)
    )
    heads = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], heads, b"".join(each.get("body", b"") for each in sent).decode()


def test_before_the_page_is_made_another_says_so_and_looks_again():
    front = FrontEnd()
    code, heads, page = get(front)
    assert code == 200
    assert "the model is being loaded" in page
    assert 'http-equiv="refresh"' in page
    assert heads["cache-control"] == "no-store"
    assert get(front, "/config")[0] == 503
    assert get(front, "/chat/page.js")[0] == 200


def gradio(status=200, page=FILLED):
    async def app(scope, receive, send):
        assert not [name for name, _ in scope["headers"] if name == b"accept-encoding"] or scope["path"] != "/"
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": page.encode() if scope["path"] == "/" else b"theirs"})

    return app


def test_once_it_is_made_it_is_served_with_its_policy_and_the_mended_component():
    front = FrontEnd()
    front.becomes(gradio(), BUILT / "assets")
    code, heads, page = get(front)
    assert code == 200
    assert "sha256-" in heads["content-security-policy"]
    assert "gradio-app" in page
    assert MENDED in get(front, f"/assets/{mended_component(BUILT / 'assets')[0]}")[2]
    assert get(front, "/config")[2] == "theirs"


def test_what_goes_wrong_in_gradio_is_not_shown():
    front = FrontEnd()
    front.becomes(gradio(500, "a secret"), BUILT / "assets")
    code, _, page = get(front)
    assert code == 500
    assert "secret" not in page


@pytest.fixture
def uploads(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "uploads"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "new.txt").write_text("new")
    (folder / "a" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


def send_upload(front, *chunks, length=None):
    """The code and the text that an upload is answered with, and how much of it was read."""
    came = [{"type": "http.request", "body": each, "more_body": True} for each in chunks]
    came.append({"type": "http.request", "body": b""})
    sent = []

    async def receive():
        return came.pop(0)

    async def send(message):
        sent.append(message)

    heads = [] if length is None else [(b"Content-Length", str(length).encode())]
    asyncio.run(front({"type": "http", "method": "POST", "path": UPLOAD, "headers": heads}, receive, send))
    return sent[0]["status"], sent[1]["body"].decode(), len(chunks) + 1 - len(came)


def test_no_more_may_be_uploaded_than_there_is_room_for(uploads):
    front = FrontEnd()
    front.becomes(gradio(), BUILT / "assets", uploads)
    with (uploads / "a" / "large.txt").open("wb") as file:
        file.truncate(MOST_LYING_BYTES - 1000)
    there = sum(each.stat().st_size for each in (uploads / "a").iterdir())
    assert send_upload(front, length=MOST_LYING_BYTES - there)[0] == 200
    for length in (MOST_LYING_BYTES - there + 1, None):
        code, said, read = send_upload(front, b"x", b"y", length=length)
        assert (code, read) == (413, 3)
        assert "try again later" in said
    (uploads / "a" / "large.txt").unlink()
    assert send_upload(front, length=1001)[0] == 200


def test_what_is_coming_in_takes_room_until_it_is_there(uploads):
    front, codes = FrontEnd(), []

    async def slow(scope, receive, send):
        codes.append(send_upload_inside())
        await gradio()(scope, receive, send)

    def send_upload_inside():
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(send_upload, front, length=MOST_LYING_BYTES // 2).result()[0]

    front.becomes(slow, BUILT / "assets", uploads)
    assert send_upload(front, length=MOST_LYING_BYTES // 2)[0] == 200
    assert codes == [413]
    assert send_upload(front, length=1)[0] == 200


def test_a_call_may_name_what_was_uploaded_or_nothing(uploads):
    for data in ([], ["path"], {"data": [{"path": str(uploads / "a" / "new.txt"), "url": None}]}):
        assert names_uploads_only(json.dumps(data).encode(), uploads)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "{}", "{}/a", "{}/../secret.txt", "{}/a/link.txt", "{}/a/none.txt", "file:///etc/passwd", "",
        None, "http://evil.example/x.txt", "//evil.example/x.txt", "secret.txt", "{}/a/new.txt\0", ["{}/a/new.txt"], 7,
    ],
)  # fmt: skip
def test_a_call_may_name_no_other_file_or_address_however_deep(uploads, path):
    named = path.format(uploads) if isinstance(path, str) else path
    assert not names_uploads_only(json.dumps({"data": [[{"x": {"path": named}}]]}).encode(), uploads)


def test_of_two_paths_with_one_name_both_count(uploads):
    good, bad = json.dumps(str(uploads / "a" / "new.txt")), json.dumps("/etc/passwd")
    for first, second in ((good, bad), (bad, good)):
        assert not names_uploads_only(f'{{"path": {first}, "path": {second}}}'.encode(), uploads)
    assert not names_uploads_only(f'{{"p\\u0061th": {bad}}}'.encode("utf-16"), uploads)
    assert not names_uploads_only(f'{{"path": {good}}}'.encode(), None)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\xfa", b"[" * 200_000, b"1" * 10_000])
def test_a_call_that_cannot_be_read_is_not_passed_on(uploads, body):
    assert not names_uploads_only(body, uploads)
