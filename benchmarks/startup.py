"""What the plugin adds to a run without `--sre-*`: `python benchmarks/startup.py [RUNS]`; fails above 10 ms.

pytest 9 answers a lone `--version` before it loads any plugin, so both commands carry a `-p no:` option: the
one names our plugin, the other a plugin that does not exist. Other plugins are kept out of both: what they
import would be free for us.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 0.010
OTHERS = ("hypothesispytest", "xdist", "xdist.looponfail", "anyio")
PYTEST = Path(sys.executable).with_name("pytest")


def seconds(without: str) -> float:
    """Wall time of one `pytest --version` without the named plugin."""
    blocked = [f"-pno:{name}" for name in (*OTHERS, without)]
    begun = time.perf_counter()
    subprocess.run(
        [PYTEST, *blocked, "--version"], check=True, capture_output=True, cwd=os.path.dirname(__file__)
    )
    return time.perf_counter() - begun


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seconds("sre"), seconds("absent")  # the first ones write byte code
    pairs = [(seconds("absent"), seconds("sre")) for _ in range(runs)]
    with_plugin, without = (statistics.median(column) for column in zip(*pairs, strict=True))
    added = statistics.median(a - b for a, b in pairs)
    print(f"pytest --version: {with_plugin * 1000:.1f} ms, without the plugin {without * 1000:.1f} ms")
    print(f"added: {added * 1000:.1f} ms (median of {runs} pairs, at most {LIMIT * 1000:.0f} ms)")
    return int(added >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
