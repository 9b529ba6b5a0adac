"""What was exported for promtool, and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_sre.model.export import Export

_MANY = 5


def told(folder: Path, exports: Sequence[Export]) -> Iterator[str]:
    """Lines for the terminal's summary."""
    files = sum(name.endswith(".test.yml") for one in exports for name, _ in one.files)
    count = sum(one.scenarios for one in exports)
    lost = [lost for one in exports for lost in one.left_out]
    yield f"exported for promtool: {count} scenarios in {files} files in {folder}" + (
        f", {len(lost)} left out:" if lost else ""
    )
    reasons = Counter(one.reason for one in lost).most_common()
    for reason, number in reasons[:_MANY]:
        yield f"  {number} left out: {reason}"
    if len(reasons) > _MANY:
        yield f"  {sum(number for _, number in reasons[_MANY:])} left out for other reasons, which the files tell"
