"""benchmarks/runbook_links.py: the dead links of public repositories, as counted by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from servers import REPO

sys.path.insert(0, str(REPO / "benchmarks"))

from runbook_links import CASES, CORPORA, Case, run, set_up

DEAD = {"kube-prometheus": (139, "RB002", 27), "thanos": (48, "RB003", 48)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_dead_links_of_public_repositories(case: Case, tmp_path: Path) -> None:
    if not (CORPORA / case.rules).is_dir():
        pytest.skip("../shared/corpora is not here")
    found = run(set_up(case, CORPORA, tmp_path))
    alerts, check, dead = DEAD[case.name]
    assert (found.alerts, found.skipped) == (alerts, 0)
    assert +found.checks == {check: dead}
