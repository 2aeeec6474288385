"""pyPhotometry files of each version, written byte for byte."""

import numpy as np
import pytest
from rigs.pyphotometry import VOLTS, header, ppd_bytes, words, write_csv

from phopro_core import PyPhotometryLoader

N = 200
ANALOG = [8000 + np.arange(N) % 7, 4000 + np.arange(N) % 5, 2000 + np.arange(N) % 3]
LINES = [np.arange(N) % 50 >= 40, np.arange(N) % 50 >= 45]
TWO = [words(ANALOG[0], LINES[0]), words(ANALOG[1], LINES[1])]


def load(path, **kwargs):
    return PyPhotometryLoader(path, **kwargs).extract_data()


@pytest.fixture
def write(tmp_path):
    def write(fields, columns=TWO):
        path = tmp_path / "m1.ppd"
        path.write_bytes(ppd_bytes(fields, columns))
        return path

    return write


@pytest.mark.parametrize(
    ("version", "mode", "rate"),
    [
        (0.1, "GCaMP/iso", 130),
        (0.2, "1 colour time div.", 130),
        ("0.3.3", "2 colour continuous", 1000),
        ("1.0.2", "2EX_2EM_pulsed", 130),
        ("1.1", "2EX_2EM_continuous", 1000),
    ],
)
def test_each_version_is_read(write, version, mode, rate):
    data = load(write(header(version, mode, rate)))
    assert data["raw_signal"].tolist() == (ANALOG[0] * VOLTS).tolist()
    assert data["raw_isosbestic"].tolist() == (ANALOG[1] * VOLTS).tolist()
    assert data["time"].tolist() == (np.arange(N) / rate).tolist()
    ups = np.array([40, 90, 140, 190])
    assert data["events"]["digital_1"].tolist() == (ups / rate).tolist()
    assert data["events"]["digital_2"].tolist() == ((ups + 5) / rate).tolist()


def test_three_signals_have_one_line(write):
    fields = header("1.0.2", "3EX_2EM_pulsed", 86, n_analog=3, n_digital=1)
    path = write(fields, [words(ANALOG[0], LINES[0]), words(ANALOG[1]), words(ANALOG[2])])
    data = load(path, isosbestic="analog_3")
    assert data["raw_isosbestic"].tolist() == (ANALOG[2] * VOLTS).tolist()
    other = header("1.0.2", "3EX_2EM_pulsed", 86, n_analog=3, n_digital=1)
    path = write(other | {"volts_per_division": [VOLTS, 1.0]}, [words(one) for one in ANALOG])
    data = load(path, signal="analog_2", isosbestic="analog_3")
    assert data["raw_signal"].tolist() == ANALOG[1].tolist()
    assert data["raw_isosbestic"].tolist() == (ANALOG[2] * VOLTS).tolist()
    assert list(data["events"]) == ["digital_1"]


def test_since_1_1_the_light_without_led_is_taken_off_in_pulsed_modes(write):
    dark = np.full(N, 5000)
    columns = [words(ANALOG[0], LINES[0]), words(dark), words(ANALOG[1], LINES[1]), words(dark)]
    data = load(write(header("1.1", "2EX_1EM_pulsed", 130), columns))
    assert data["raw_signal"].tolist() == ((ANALOG[0] - 5000) * VOLTS).tolist()
    assert data["raw_isosbestic"].tolist() == ((ANALOG[1] - 5000) * VOLTS).tolist()
    assert data["events"]["digital_2"].tolist() == (np.array([45, 95, 145, 195]) / 130).tolist()


def test_each_detector_has_its_own_volts_a_division(write):
    fields = header("1.0.2", "2EX_2EM_continuous", 1000) | {"volts_per_division": [1e-4, 2e-4]}
    assert load(write(fields))["raw_isosbestic"].tolist() == (ANALOG[1] * 2e-4).tolist()
    one_detector = fields | {"mode": "2EX_1EM_pulsed"}
    assert load(write(one_detector))["raw_isosbestic"].tolist() == (ANALOG[1] * 1e-4).tolist()


def test_lines_can_be_given_labels(write):
    data = load(write(header("1.0", "2EX_2EM_pulsed", 130)), events={"cue": "digital_2"})
    assert list(data["events"]) == ["cue"]
    assert data["events"]["cue"].size == 4


def test_fields_of_the_header_go_into_the_metadata(write):
    metadata = load(write(header("1.0", "2EX_2EM_pulsed", 130)))["metadata"]
    assert metadata["subject_ID"] == "m1"
    assert metadata["mode"] == "2EX_2EM_pulsed"
    assert metadata["sampling_rate"] == 130
    assert metadata["LED_current"] == [10, 10]


def test_the_table_that_it_writes_instead_says_the_same(tmp_path, write):
    fields = header("1.0.2", "2EX_2EM_pulsed", 130)
    table = load(write_csv(tmp_path / "m1-2025.csv", fields, ANALOG[:2], LINES))
    binary = load(write(fields))
    for key in ("raw_signal", "raw_isosbestic", "time"):
        assert table[key].tolist() == binary[key].tolist()
    assert table["events"]["digital_1"].tolist() == binary["events"]["digital_1"].tolist()


def test_the_settings_of_a_table_are_its_companion(tmp_path):
    companions = PyPhotometryLoader.companion_files(tmp_path / "m1.csv", {})
    assert companions == [tmp_path / "m1.json"]
    assert PyPhotometryLoader.companion_files(tmp_path / "m1.ppd", {}) == []


class TestBadFiles:
    @pytest.mark.parametrize("n_bytes", [0, 1, 2, 50])
    def test_a_header_that_is_cut_short_is_told(self, write, n_bytes):
        path = write(header("1.0", "2EX_2EM_pulsed", 130))
        path.write_bytes(path.read_bytes()[:n_bytes])
        with pytest.raises(ValueError, match=r"m1.ppd: not a .ppd file, or cut short: .* bytes"):
            load(path)

    @pytest.mark.parametrize("n_missing", [1, 2, 3, 2 * 2 * N, 2 * 2 * N - 4])
    def test_samples_that_are_cut_short_are_told(self, write, n_missing):
        path = write(header("1.0", "2EX_2EM_pulsed", 130))
        path.write_bytes(path.read_bytes()[:-n_missing])
        with pytest.raises(ValueError, match=r"m1.ppd: cut short: the \d+ bytes after the header"):
            load(path)

    def test_a_header_that_is_no_text_is_told(self, tmp_path):
        path = tmp_path / "m1.ppd"
        path.write_bytes(b"\x2a\x00" + b"mouse7".ljust(42) + b"\0" * 400)
        with pytest.raises(ValueError, match="m1.ppd: not a .ppd file of pyPhotometry 0.1 or new"):
            load(path)

    def test_a_mode_that_would_be_misread_is_refused(self, write):
        with pytest.raises(ValueError, match="not known here: mode '4 colour time div.' "):
            load(write(header("0.3", "4 colour time div.", 130)))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("version", "2.0"),
            ("mode", 3),
            ("sampling_rate", 0),
            ("volts_per_division", 0.1),
            ("volts_per_division", []),
            ("n_analog_signals", 0),
        ],
    )
    def test_a_field_that_makes_no_sense_is_told(self, write, field, value):
        path = write(header("1.0", "2EX_2EM_pulsed", 130) | {field: value})
        with pytest.raises(
            ValueError, match=f"m1.ppd: the header has what .*{field} {value!r}".replace("[", r"\[")
        ):
            load(path)

    def test_a_header_without_a_field_that_it_takes_is_told(self, write):
        fields = header("1.0", "2EX_2EM_pulsed", 130)
        del fields["sampling_rate"]
        with pytest.raises(ValueError, match="the header lacks sampling_rate"):
            load(write(fields))

    def test_a_signal_that_is_not_there_is_named_with_those_that_are(self, write):
        path = write(header("1.0", "2EX_2EM_pulsed", 130))
        with pytest.raises(ValueError, match=r"no signal 'analog_3' \(there: analog_1, analog_2\)"):
            load(path, isosbestic="analog_3")
        with pytest.raises(
            ValueError, match=r"no digital line 'x' \(there: digital_1, digital_2\)"
        ):
            load(path, events=["x"])

    def test_a_table_without_its_settings_is_told(self, tmp_path):
        path = write_csv(tmp_path / "m1.csv", {}, ANALOG[:2], LINES)
        with pytest.raises(ValueError, match=r"m1.json: the header lacks mode, sampling_rate"):
            load(path)
        path.with_suffix(".json").write_text("{")
        with pytest.raises(ValueError, match="m1.json: not a JSON file"):
            load(path)
        path.with_suffix(".json").unlink()
        with pytest.raises(FileNotFoundError, match="m1.json: no such file; the settings"):
            load(path)
