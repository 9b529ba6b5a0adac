"""How many alerts of public repositories link to runbooks that are not there.

python benchmarks/runbook_links.py [CORPORA]

For each case a repository of rules and pages is set up as their authors have it, and `pytest --sre-runbooks` is run there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_PLACES = (Path(__file__).resolve().parents[2] / "shared" / "corpora", Path("/work/shared/corpora"))
CORPORA = next((place for place in _PLACES if place.is_dir()), _PLACES[0])


@dataclass(frozen=True, slots=True)
class Case:
    """Rules and pages that belong together; ``settings`` is the text of sre.yaml, ``origin`` where it was cloned from."""

    name: str
    rules: str
    pages: str
    settings: str = ""
    origin: str = ""


CASES = (
    Case(
        "kube-prometheus",
        "rules/kube-prometheus",
        "runbooks/prometheus-operator",
        "runbooks: {urls: {'https://runbooks.prometheus-operator.dev/': content}}\n",
    ),
    Case("thanos", "rules/thanos", "runbooks/thanos", origin="https://github.com/thanos-io/thanos.git"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the items `runbook` of a case's alerts became, and the checks' ids of their findings."""

    alerts: int
    skipped: int
    checks: Counter[str]


def main() -> None:
    """Print the figures of each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="?", type=Path, default=CORPORA)
    corpora = parser.parse_args().corpora
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            found = run(set_up(case, corpora, Path(folder)))
        told = "  ".join(f"{check} {count}" for check, count in sorted(found.checks.items()))
        print(f"{case.name}: {found.alerts} alerts, {found.skipped} not proven   {told}")


def set_up(case: Case, corpora: Path, folder: Path) -> Path:
    """A repository with the rules and pages of a case."""
    shutil.copytree(corpora / case.rules, folder / "rules")
    shutil.copytree(corpora / case.pages, folder, dirs_exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "sre.yaml").write_text(case.settings)
    if case.origin:
        (folder / ".git").mkdir()
        (folder / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {case.origin}\n')
    return folder


def run(folder: Path) -> Found:
    """Run pytest itself on a repository, and count what its alerts' items say."""
    report, junit = folder / "quality.json", folder / "junit.xml"
    command = [sys.executable, "-m", "pytest", "--sre-runbooks", "-q", "-p", "no:cacheprovider"]
    command += [f"--sre-codequality={report}", f"--junitxml={junit}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    if not report.is_file():
        raise SystemExit(f"pytest failed:\n{done.stdout}{done.stderr}")
    checks = Counter(one["check_name"].rpartition("/")[2] for one in json.loads(report.read_text()))
    items = [one for one in ET.parse(junit).iter("testcase") if _is_of_alert(one)]
    return Found(
        alerts=len(items),
        skipped=sum(one.find("skipped") is not None for one in items),
        checks=Counter({check: checks[check] for check in ("RB001", "RB002", "RB003")}),
    )


def _is_of_alert(case: ET.Element) -> bool:
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    return properties.get("sre_check") == "runbook"


if __name__ == "__main__":
    main()
