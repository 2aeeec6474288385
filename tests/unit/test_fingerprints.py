"""Fingerprints of users' functions: what changes them, and what does not."""

import functools
import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from phopro_core import ArtifactDetector
from phopro_core.fingerprints import fingerprint
from phopro_core.objects import load_object

HOOKS = '''
import math
import re

import numpy as np

THRESHOLD = 3.0
LABELS = {"lever1", "lever2", "shock"}
WORD = re.compile("[a-z]+")


def unused():
    return 1


def above(values):
    return values > THRESHOLD


class Rule:
    factor = 2

    def apply(self, x):
        return self.factor * x

    @property
    def double(self):
        return 2 * self.factor

    @staticmethod
    def half(x):
        return x / 2


def loop(n):
    return n if n == 0 else loop(n - 1)


def hook(experiment):
    """What is tested."""
    rules = [Rule().apply(x) for x in (1, 2, 3)]
    if WORD.match(experiment.id) and experiment.id not in {"a", "b", "c"}:
        return above(np.asarray(rules)), LABELS, loop(3)
'''


def fingerprint_of(text: str, folder: Path, name: str = "hook") -> str:
    path = folder / f"hooks_{abs(hash(text))}.py"
    path.write_text(text)
    return fingerprint(load_object(f"{path}:{name}"))


def edited(old: str, new: str) -> str:
    assert old in HOOKS
    return HOOKS.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 1", "return 2"),
        ("import math\n", ""),
        ("\n\ndef unused", "\n# A comment.\n\n\n\ndef unused"),
        ("    return values > T", "    # Why.\n    return values > T"),
        ("rules = [Rule().apply(x) for", "rules = [\n        Rule().apply(x) for"),
        ('{"lever1", "lever2", "shock"}', '{"shock", "lever1", "lever2"}'),
    ],
)
def test_comments_places_and_what_is_not_used_leave_it_as_it_is(old, new, tmp_path):
    assert fingerprint_of(edited(old, new), tmp_path) == fingerprint_of(HOOKS, tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("THRESHOLD = 3.0", "THRESHOLD = 3.5"),
        ("values > T", "values >= T"),
        ('"shock"}', '"shock", "cue"}'),
        ("[a-z]", "[A-Z]"),
        ("(1, 2, 3)", "(1, 2, 4)"),
        ('{"a", "b", "c"}', '{"a", "b", "d"}'),
        ("factor = 2", "factor = 3"),
        ("self.factor * x", "self.factor + x"),
        ("return 2 * self.factor", "return self.factor"),
        ("return x / 2", "return x // 2"),
        ("class Rule:", "class Rule(dict):"),
        ("loop(n - 1)", "loop(n - 2)"),
        ("np.asarray", "np.array"),
        ("import numpy as np", "import statistics as np"),
    ],
)
def test_what_a_function_does_and_uses_changes_it(old, new, tmp_path):
    assert fingerprint_of(edited(old, new), tmp_path) != fingerprint_of(HOOKS, tmp_path)


INSTANCES = """
from dataclasses import dataclass
from enum import Enum
from functools import cached_property


@dataclass
class Settings:
    n: int = 3

    @cached_property
    def double(self):
        return 2 * self.n


class Side(Enum):
    LEFT = 1


SETTINGS, SIDE = Settings(), Side.LEFT


def hook(experiment):
    return SETTINGS.double, SIDE, experiment.time, experiment.obs
"""


def test_a_file_that_was_only_touched_counts_as_the_same(tmp_path):
    path = tmp_path / "instances.py"
    path.write_text(INSTANCES)
    before = fingerprint(load_object(f"{path}:hook"))
    path.write_text("# A comment.\n" + INSTANCES)
    os.utime(path, ns=(0, 1))
    assert fingerprint(load_object(f"{path}:hook")) == before


@pytest.mark.parametrize(("old", "new"), [("2 * self", "3 * self"), ("LEFT = 1", "LEFT = 2")])
def test_what_objects_are_made_of_counts(tmp_path, old, new):
    assert old in INSTANCES
    edited = INSTANCES.replace(old, new)
    assert fingerprint_of(edited, tmp_path) != fingerprint_of(INSTANCES, tmp_path)


def test_an_attribute_of_the_name_of_a_global_is_none(tmp_path):
    with_globals = "time = obs = 7\n" + INSTANCES
    assert fingerprint_of(with_globals, tmp_path) == fingerprint_of(INSTANCES, tmp_path)


def test_it_is_the_same_in_every_process(tmp_path):
    path = tmp_path / "hooks.py"
    path.write_text(HOOKS)
    program = (
        "from phopro_core.objects import load_object;"
        "from phopro_core.fingerprints import fingerprint;"
        f"print(fingerprint(load_object({f'{path}:hook'!r})))"
    )
    found = set()
    for seed in "123":
        environment = {"PYTHONPATH": "workflow", "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=Path(__file__).parents[2],
            check=True,
            capture_output=True,
            text=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


def adder(n):
    return lambda x: x + n


def scaled(factor):
    def decorate(function):
        @functools.wraps(function)
        def call(x):
            return factor * function(x)

        return call

    return decorate


class Detector(ArtifactDetector):
    def __init__(self, threshold):
        self.threshold = threshold

    def detect(self, signal, time, frequency):
        return []


class Slotted:
    __slots__ = ("factor",)

    def __init__(self, factor):
        self.factor = factor


def typed(x: int):
    return x


def typed_otherwise(x: float):
    return x


class Lock:
    """Something that can't be pickled, and has no attributes."""

    __slots__ = ()

    def __reduce__(self):
        raise TypeError("no")


PAIRS = {
    "numbers": (1, 2),
    "types of numbers": (1, 1.0),
    "texts": ("a", "b"),
    "joined texts": (["ab", "c"], ["a", "bc"]),
    "nested lists": ([[1], 2], [[1, 2]]),
    "order": ([1, 2], [2, 1]),
    "keys": ({"a": 1}, {"b": 1}),
    "sets": ({1, 2}, {1, 3}),
    "arrays": (np.zeros(3), np.zeros((3, 1))),
    "types of arrays": (np.zeros(2, dtype="f4"), np.zeros(1, dtype="f8")),
    "closures": (adder(1), adder(2)),
    "defaults": (lambda x=1: x, lambda x=2: x),
    "keyword defaults": (lambda *, x=1: x, lambda *, x=2: x),
    "names of arguments": (lambda x: 1, lambda y: 1),
    "decorated": (scaled(2)(abs), scaled(3)(abs)),
    "what is decorated": (scaled(2)(adder(1)), scaled(2)(adder(2))),
    "partial": (functools.partial(pow, 2), functools.partial(pow, 3)),
    "partial of a user's": (
        functools.partial(adder(1), x=1),
        functools.partial(adder(2), x=1),
    ),
    "vectorized": (np.vectorize(adder(1)), np.vectorize(adder(2))),
    "functions in objects": (SimpleNamespace(f=adder(1)), SimpleNamespace(f=adder(2))),
    "functions in collections": (deque([adder(1)]), deque([adder(2)])),
    "slots": (Slotted(1), Slotted(2)),
    "annotations": (typed, typed_otherwise),
    "cached": (functools.lru_cache(adder(1)), functools.lru_cache(adder(2))),
    "instances": (Detector(1), Detector(2)),
    "methods": (Detector(1).detect, Detector(2).detect),
    "builtins": (len, abs),
    "functions of other modules": (functools.reduce, functools.wraps),
    "ufuncs": (np.sin, np.cos),
    "paths": (Path("a"), Path("b")),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_different_values_differ(kind):
    first, second = PAIRS[kind]
    assert fingerprint(first) != fingerprint(second)
    assert fingerprint(first) == fingerprint(first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (adder(1), adder(1)),
        (scaled(2)(adder(1)), scaled(2)(adder(1))),
        (Detector(1), Detector(1)),
        (Detector(1).detect, Detector(1).detect),
        (np.arange(3.0), np.arange(3.0)),
        ({"b", "a"}, {"a", "b"}),
        (Lock(), Lock()),
    ],
)
def test_equal_values_are_equal(first, second):
    assert fingerprint(first) == fingerprint(second)


def test_what_holds_itself_comes_to_an_end():
    endless = []
    endless.append(endless)
    assert fingerprint(endless) == fingerprint(endless)


def test_what_can_not_be_pickled_counts_by_its_class():
    import threading

    def holder(lock):
        return lambda: lock

    assert fingerprint(holder(threading.Lock())) == fingerprint(holder(threading.Lock()))
