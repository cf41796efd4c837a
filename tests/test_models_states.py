"""States of prompts that nobody uses any more leave the cache."""

from __future__ import annotations

import os
from pathlib import Path

from rag_geo.models.states import MAX_AGE_S, MOST, SPARED, sweep_states

NOW = 2_000_000_000.0
DAY = 24 * 3600.0


def keep(folder: Path, name: str, days: float, read_days: float | None = None) -> Path:
    """A file written `days` ago and read last `read_days` ago."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(b"state")
    read = days if read_days is None else read_days
    os.utime(path, (NOW - read * DAY, NOW - days * DAY))
    return path


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_states_that_were_not_used_for_a_month_go_and_younger_ones_stay(tmp_path):
    for number in range(SPARED):
        keep(tmp_path, f"current{number}.state", 0)
    month = MAX_AGE_S / DAY
    old, young = keep(tmp_path, "old.state", month + 1), keep(tmp_path, "young.state", month - 1)
    assert sweep_states(tmp_path, NOW) == (old,)
    assert young.exists()


def test_a_state_counts_from_when_it_was_read_last(tmp_path):
    for number in range(SPARED):
        keep(tmp_path, f"current{number}.state", 0)
    keep(tmp_path, "read.state", 400, read_days=2)
    assert sweep_states(tmp_path, NOW) == ()


def test_the_states_used_last_stay_however_old(tmp_path):
    for number in range(SPARED + 1):
        keep(tmp_path, f"{number}.state", 100 + number)
    assert [path.name for path in sweep_states(tmp_path, NOW)] == [f"{SPARED}.state"]


def test_there_are_never_many_and_those_used_longest_ago_go_first(tmp_path):
    for number in range(MOST + 3):
        keep(tmp_path, f"{number:02d}.state", number)
    sweep_states(tmp_path, NOW)
    assert left(tmp_path) == {f"{number:02d}.state" for number in range(MOST)}


def test_what_a_process_that_died_left_behind_goes_and_what_is_being_written_stays(tmp_path):
    keep(tmp_path, "a.part123", 100)
    keep(tmp_path, "b.part124", 0)
    keep(tmp_path, "notes.txt", 100)
    sweep_states(tmp_path, NOW)
    assert left(tmp_path) == {"b.part124", "notes.txt"}


def test_no_folder_and_what_cannot_be_removed_are_no_trouble(tmp_path):
    assert sweep_states(tmp_path / "none", NOW) == ()
    for number in range(MOST):
        keep(tmp_path, f"{number}.state", 0)
    (tmp_path / "folder.state").mkdir()
    os.utime(tmp_path / "folder.state", (0, 0))
    assert sweep_states(tmp_path, NOW) == ()
