"""Say what is in recordings, and how a config would load them.

    python scripts/inspect_recording.py PATH...

Recognises the format of a file or of a TDT block folder, lists channels with their rates,
and events with how often each occurs, and prints a loader_cls and loader_kwargs to begin with.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from phopro_core.loaders.finding import inspect


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="+", type=Path, help="a file, or a TDT block folder")
    n_failed = 0
    for number, path in enumerate(parser.parse_args().path):
        if number:
            print()
        try:
            print(inspect(path))
        except (ValueError, OSError) as error:
            n_failed += 1
            print(error, file=sys.stderr)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
