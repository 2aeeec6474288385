"""Whether the tests notice a mistake: each kernel with a sign, an edge or a constant wrong."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "workflow" / "phopro_core"

#: For each module, texts of it and what is put in their places.
MUTATIONS = {
    "windows": [
        ("left * (1 - weight) + right * weight", "left * weight + right * (1 - weight)"),
        ("- 0.5 - SAME_SAMPLE", "- 0.5 + SAME_SAMPLE"),
        ("0, last - 1)", "0, last - 2)"),
        ("np.where(outside, 1 / frequency, step)", "step"),
        ("np.rint((bounds[1]", "np.floor((bounds[1]"),
        ("np.rint(bounds[0] *", "np.floor(bounds[0] *"),
        ("grid.size <= trace.size", "grid.size < trace.size"),
        (">= time[0] - slack", "> time[0]"),
    ],
    "events": [
        ('ON_THE_EDGE, "left"', '0, "left"'),
        ('ON_THE_EDGE, "right"', '0, "right"'),
        ("ON_THE_EDGE = 1e-9", "ON_THE_EDGE = 1e-8"),
        ("found[trial] = inside[-1]", "found[trial] = inside[0]"),
        ("range(2, n_columns + 1)", "range(2, n_columns)"),
    ],
    "extraction": [
        ("signal, aligns, baseline_bounds", "signal, centres, baseline_bounds"),
        ("np.arange(1, kept.sum() + 1)", "np.flatnonzero(kept) + 1"),
        ('np.argsort(times, kind="stable")', "np.arange(times.size)"),
        ("difference / self.frequency", "difference"),
        ("+ np.rint(t[[0, -1]]", "+ np.rint(t[[0, -2]]"),
        ("values).any(axis=1)", "values).all(axis=1)"),
        ("present.sum(axis=0) > 1", "present.sum(axis=0) > 2"),
    ],
    "normalization": [
        ("MAD_TO_SD = 1.4826", "MAD_TO_SD = 1.0"),
        ("std(axis=1, keepdims=True)", "std(axis=1, keepdims=True, ddof=1)"),
        ("centre = np.median(", "centre = np.mean("),
        ("np.abs(deviations).max(", "deviations.max("),
    ],
    "references": [
        (", weights) / NORMAL_MAD", ", weights)"),
        ("middle[0] < 0 or", "middle[0] < -1 or"),
        ("values < low", "values <= low"),
        ("near[middle].mean()", "near[middle[0]]"),
        ("np.maximum(out, 0.0, out=out)", "np.abs(out, out=out)"),
        ("x - total * mean_x**2", "x + total * mean_x**2"),
        ("enough = tolerance * np.ptp(signal)", "enough = tolerance"),
        ("if moved <= enough", "if moved >= enough"),
        ("r2 = 1 - (residuals", "r2 = (residuals"),
    ],
    "photobleaching": [
        ("time = time - time[0]", "time = time - 0"),
        ("max(length // 2, 1)", "max(length, 1)"),
        ("np.median(values, axis=1)", "np.mean(values, axis=1)"),
        ('loss="soft_l1"', 'loss="linear"'),
        ("decay: decay[1]", "decay: -decay[1]"),
        ("signal, reference * bleaching", "signal, reference"),
    ],
    "correction": [
        ("corrected = signal - reference", "corrected = signal + reference"),
        ("(reference <= 0)", "(reference < 0)"),
        ("(reference <= 0)", "(reference <= 1)"),
        ('if method == "zscore" else', 'if method == "nullZ" else'),
    ],
    "filtering": [
        ('padtype="odd"', 'padtype="even"'),
        ("int(3 * (2", "int(2 * (2"),
        ("1 - zeros_at_origin", "1"),
        ("if longest <= padding", "if longest < padding"),
    ],
    "preprocessing": [
        ("else mended + shared", "else mended - shared"),
        ("isnan(filtered).any(axis=0)", "isnan(filtered).all(axis=0)"),
        ("cutoff_frequency: float | None = 3.0", "cutoff_frequency: float | None = 2.0"),
    ],
    "sampling": [
        ("= 0.5, 1.5", "= 0.5, 2.5"),
        ("JITTER = 0.05", "JITTER = 0.07"),
        ("longest_gap * (1 + EVEN)", "longest_gap * (1 - EVEN)"),
        ("[start + step / 2,", "[start - step / 2,"),
    ],
    "downsampling": [
        ("time[::factor]", "time[factor - 1 :: factor]"),
        ('padtype: str = "line"', 'padtype: str = "constant"'),
        ("blocks.mean(axis=-1)", "blocks[..., 0]"),
    ],
    "artifacts/derivatives": [
        ("QUIETEST = 0.1", "QUIETEST = 0.0"),
        (".start :] -= change", ".start :] -= 0 * change"),
        ("[-before, after]", "[before, after]"),
        ("LASTING * height", "LASTING / height"),
        (" and returned", ""),
    ],
    "artifacts/splines": [
        (".start :] -= np", ".start :] += np"),
        ("stop + half, stop + 2 * half", "stop + half, stop + half"),
        ("start - 2 * half", "start - 3 * half"),
    ],
    "artifacts/intervals": [
        ("ENOUGH = 5", "ENOUGH = 6"),
        ("> distance", ">= distance"),
        ("after - before,", "before - after,"),
        ("np.nextafter(stop, np.inf)", "stop"),
    ],
    "merging": [
        ("TIME_TOLERANCE = 1e-6", "TIME_TOLERANCE = 1e-7"),
        ("max(initial=0) > time_tol", "min(initial=0) > time_tol"),
        ("column.astype(object)", "column"),
    ],
    "collapsing": [
        ("sort=True", "sort=False"),
        ("ends[:-1])", "ends[1:])"),
    ],
    "recentring": [
        ("grid.size <= t.size", "grid.size < t.size"),
        ("t[nearest_within] + (placed", "t[nearest_within] - (placed"),
    ],
    "thinning": [
        ("starts + lowest, ", ""),
        ("(missing, np.inf", "(missing, -np.inf"),
        ("-trace.size % width", "trace.size % width"),
    ],
    "variation": [
        ("ROUNDING = 1e-10", "ROUNDING = 0.0"),
        ("ptp(values, axis=-1)", "ptp(values)"),
    ],
}
#: The tests of tests/unit that have to notice, where they are not the module's own file.
NOTICED_BY = {
    "artifacts/derivatives": "test_artifacts.py::TestDetection",
    "artifacts/splines": "test_artifacts.py::TestCorrection",
    "artifacts/intervals": "test_artifacts.py::TestIntervals",
    "collapsing": "test_dataset.py::TestCollapsing",
    "recentring": "test_dataset.py::TestWindows",
}


class Mutation(NamedTuple):
    module: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.module}: {self.new or f'without {self.old}'}"


mutations = pytest.mark.parametrize(
    "mutation",
    [Mutation(module, *texts) for module, pairs in MUTATIONS.items() for texts in pairs],
    ids=str,
)


def noticing_tests(module: str) -> str:
    return "tests/unit/" + NOTICED_BY.get(module, f"test_{module}.py")


def run_on(package: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests on another copy of the package, up to the first failure."""
    options = {
        "addopts": "",  # no doctests
        "pythonpath": package.parent,
    }
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"),
            *(part for name, value in options.items() for part in ("-o", f"{name}={value}")),
            *tests,
        ],
        cwd=ROOT,
        env=os.environ
        | {
            # Plugins cost time, and would take this for a worker of a parallel run.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
            # Several of these run at once, and threads would get in each other's way.
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=ignored)


@mutations
def test_what_a_mutation_replaces_is_there_once(mutation):
    assert (PACKAGE / f"{mutation.module}.py").read_text().count(mutation.old) == 1


@pytest.mark.slow
@pytest.mark.parametrize("tests", sorted({noticing_tests(module) for module in MUTATIONS}))
def test_without_a_mutation_the_tests_pass_and_on_the_copy(package, tests, tmp_path):
    which = tmp_path / "test_which.py"
    which.write_text(
        "import phopro_core\n"
        "def test_it_is_the_copy():\n"
        f"    assert phopro_core.__file__ == {str(package / '__init__.py')!r}\n"
    )
    done = run_on(package, str(which), tests)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr


@pytest.mark.slow
@mutations
def test_a_mutation_is_noticed(package, mutation):
    module = package / f"{mutation.module}.py"
    module.write_text(module.read_text().replace(mutation.old, mutation.new))
    done = run_on(package, noticing_tests(mutation.module))
    # Not an error of pytest's, such as a file of tests that is not there.
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
