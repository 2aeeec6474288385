"""The quick way of reading CSV files: what it reads, the thorough one reads alike."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phopro_core import CSVLoader
from phopro_core.loaders.plain_csv import BLOCK, read_heading, read_plain_csv

CELLS = [
    *("0", "1", "-2.5", "1e3", "+5", ".5", "5.", " 3", "3 ", "0.1000000000000000055", "1e-320"),
    *("", "NA", "nan", "NaN", "None", "null", "inf", "-inf", "1e400", "True", "false", "x"),
    *('"4"', '"4', '4"', "0x1", "1_0", "1d5", "1,5", "1;5", "−1", "\t7", "#", "1\n", "1\r\n"),
]
cells = st.sampled_from(CELLS) | st.floats(allow_nan=False).map(repr)


@pytest.fixture
def loader(tmp_path):
    def load(text: str, isosbestic_col: str = "isosbestic") -> CSVLoader:
        path = tmp_path / "recording.csv"
        path.write_bytes(text.encode())
        return CSVLoader(path, isosbestic_col=isosbestic_col, event_cols=["cue"])

    return load


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    third=st.sampled_from(["isosbestic"] * 5 + ["signal", "", "other"]),
    isosbestic_col=st.sampled_from(["isosbestic", "signal.1", "Unnamed: 2"]),
    rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=3),
)
def test_both_ways_find_the_same(loader, third, isosbestic_col, rows):
    lines = "".join(f"{k},{','.join(row)}\n" for k, row in enumerate(rows))
    reader = loader(f"time,signal,{third},cue\n{lines}", isosbestic_col)
    quick = reader._read_plain()
    if quick is None:
        return
    (numbers, events), (expected, occurs) = quick, reader._read_anything()
    for column, of_pandas in zip(numbers, expected, strict=True):
        np.testing.assert_array_equal(column, of_pandas)
    assert events["cue"].tolist() == occurs["cue"].tolist()


@pytest.mark.parametrize("text", ["time,signal,isosbestic,cue\n", "time,signal,cue\n"])
def test_a_file_of_numbers_is_read_without_pandas(loader, text, monkeypatch):
    monkeypatch.setattr(CSVLoader, "_read_anything", None)
    n_columns = text.count(",") + 1
    data = loader(text + "".join(f"{k}{',1' * (n_columns - 1)}\n" for k in range(3))).extract_data()
    assert data["time"].tolist() == data["events"]["cue"].tolist() == [0, 1, 2]
    assert (data["raw_isosbestic"] is None) == (n_columns == 3)


def test_a_file_of_many_blocks_is_read_to_its_end(tmp_path):
    n = BLOCK // 4
    values = np.random.default_rng(0).standard_normal(n)
    path = tmp_path / "long.csv"
    path.write_text(
        "a,b,c\n" + "".join(f"{x!r},{k},{k % 7}\n" for k, x in enumerate(values.tolist()))
    )
    assert path.stat().st_size > 4 * BLOCK
    (a, b), (c,) = read_plain_csv(path, ["a", "b"], ["c"])
    np.testing.assert_array_equal(a, values)
    np.testing.assert_array_equal(b, np.arange(n))
    np.testing.assert_array_equal(c, np.arange(n) % 7 != 0)


def test_an_empty_cell_is_no_number_and_no_flag(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("a,b\n1,2\n3,\n")
    (a, b), (flag,) = read_plain_csv(path, ["a", "b"], ["b"])
    np.testing.assert_array_equal(a, [1, 3])
    np.testing.assert_array_equal(b, [2, np.nan])
    assert flag.tolist() == [True, False]


@pytest.mark.parametrize(
    ("content", "heading"),
    [
        (b"\xef\xbb\xbftime,a\r\n1,2\r\n", ["time", "a"]),
        (b'"a, b","c ""d"""\n', ["a, b", 'c "d"']),
        ("a,µ\n1,2\n".encode("cp1252"), []),
        ("a,b\n1,µ\n".encode("cp1252"), ["a", "b"]),
        (b"a,b,a\n1,2,3\n", []),
        (b"a,b,\n1,2,\n", []),
        (b"", []),
    ],
)
def test_the_heading_is_that_of_a_text_file_or_none(tmp_path, content, heading):
    path = tmp_path / "recording.csv"
    path.write_bytes(content)
    assert read_heading(path) == heading


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "b\n1\n",
        "a,b\n1,2,3\n",
        "a,b\n1\n",
        "a,b\n1,x\n",
        "a,b\n1,inf\n",
        'a,b\n1,"2\n',
    ],
)
def test_what_is_no_table_of_numbers_is_left_to_others(tmp_path, text):
    path = tmp_path / "odd.csv"
    path.write_text(text)
    assert read_plain_csv(path, ["a"], ["b"]) is None
    assert read_plain_csv(tmp_path / "missing.csv", ["a"], ["b"]) is None


def test_a_name_that_is_not_text_is_left_to_others(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xff.csv"))
    path.write_text("time,signal\n0,1\n1,2\n")
    assert CSVLoader(path).extract_data()["raw_signal"].tolist() == [1, 2]
