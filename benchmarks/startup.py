"""What the plugin adds to a run without `--sre-*`: `python benchmarks/startup.py [RUNS]`; fails above 10 ms.

A lone `--version` is answered by pytest 9 before it loads any plugin, so we ask twice; the answer lists the
plugins and shows whether ours was there. Other plugins are kept out: what they import would be free for us.
Noise only ever adds time, so the fastest runs decide; the medians are shown as well.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 0.010
OTHERS = ("hypothesispytest", "xdist", "xdist.looponfail", "anyio")
PYTEST = Path(sys.executable).with_name("pytest")


def seconds(without: str) -> float:
    """Wall time of one `pytest --version --version` without the named plugin."""
    command = [str(PYTEST), *(f"-pno:{name}" for name in (*OTHERS, without)), "--version", "--version"]
    begun = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent)
    taken = time.perf_counter() - begun
    if ("pytest-sre" in done.stdout + done.stderr) == (without == "sre"):
        raise SystemExit(
            f"the wrong plugins were loaded, so nothing was measured:\n{done.stdout}{done.stderr}"
        )
    return taken


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seconds("sre"), seconds("absent")  # the first ones write byte code
    pairs = [(seconds("absent"), seconds("sre")) for _ in range(runs)]
    with_plugin, without = zip(*pairs, strict=True)
    added = min(with_plugin) - min(without)
    for title, pick in (("fastest", min), ("median", statistics.median)):
        print(
            f"{title} of {runs}: {pick(with_plugin) * 1000:.1f} ms, without it {pick(without) * 1000:.1f} ms"
        )
    print(f"added: {added * 1000:.1f} ms (at most {LIMIT * 1000:.0f} ms)")
    return int(added >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
