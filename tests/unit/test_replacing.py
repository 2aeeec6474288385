"""Files are there whole, or not at all."""

import errno
import shutil

import pytest

from phopro_core.replacing import check_room, remove_unfinished, replacing


def test_the_file_appears_once_it_is_complete_and_its_folders_with_it(tmp_path):
    path = tmp_path / "new" / "folder" / "table.csv.gz"
    with replacing(path) as unfinished:
        unfinished.write_text("new")
        assert unfinished.suffix == ".gz"
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as unfinished:
        unfinished.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_without_room_is_told_with_what_is_needed(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=2_500_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    path = tmp_path / "trials.h5ad"
    check_room(path, 2_500_000)
    with pytest.raises(OSError, match=r"2\.5 MB of 2\.6 MB needed.*trials\.h5ad") as raised:
        check_room(path, 2_600_000)
    assert raised.value.errno == errno.ENOSPC


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    # A process that is killed does not come to remove its own.
    with replacing(tmp_path / "day.3.h5ad") as unfinished:
        left = tmp_path / unfinished.name
        unfinished.write_text("half")
        left_by_another = tmp_path / unfinished.name.replace("day", "night")
        left_by_another.write_text("half")
    left.write_text("half")
    kept = [tmp_path / name for name in ("day.3.h5ad", "unfinished.csv", ".hidden")]
    for path in kept[1:]:
        path.touch()
    remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    remove_unfinished(tmp_path / "not there")
