"""Defects seeded in the example's own runbooks: each is found, with its id, at its line, and nothing else is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from servers import Pair
from shop import edit, run

PAGES = ("checkout-burn", "checkout-latency", "payments-burn", "payments-queue", "platform")
_TOLD = re.compile(r"(\S+\.(?:md|yml)):(\d+): .*\[(RB\d+)\]\s*$", re.MULTILINE)
Told = set[tuple[str, int, str]]

# Where the first runbook of each page starts; a link of it, broken; a heading that an alert links to.
FIRST = {
    "checkout-burn": 10,
    "checkout-latency": 10,
    "payments-burn": 1,
    "payments-queue": 9,
    "platform": 9,
}
LINKS = {
    "checkout-burn": ("payments-burn.md#diagnosis", "payments-brun.md#diagnosis"),
    "checkout-latency": ("#checkouterrorbudgetburnfast", "#checkouterrorbudgetbrunfast"),
    "payments-burn": ("(#new-credentials)", "(#new-credential)"),
    "payments-queue": ("payments-burn.md#diagnosis", "payments.md#diagnosis"),
    "platform": ("(#memorylow)", "(#memory-low)"),
}
HEADINGS = {
    "checkout-burn": ("## CheckoutErrorBudgetBurnSlow", "checkout.yml", "#checkouterrorbudgetburnslow"),
    "checkout-latency": (
        "## CheckoutLatencyBudgetBurnSlow",
        "checkout.yml",
        "#checkoutlatencybudgetburnslow",
    ),
    "payments-burn": ("## Mitigation", "payments.yml", "payments-burn#mitigation"),
    "payments-queue": ("## PaymentsSettlementStale", "payments.yml", "#paymentssettlementstale"),
    "platform": ("## DiskAlmostFull", "platform.yml", "#diskalmostfull"),
}


def page_of(repo: Path, name: str) -> Path:
    return repo.parents[1] / "runbooks" / f"{name}.md"


def line_of(path: Path, text: str) -> int:
    """The line of the first place that holds a text."""
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def mitigation(lines: list[str]) -> tuple[int, int]:
    """The places of the first mitigation's heading, and of the next heading of its level."""
    start = next(n for n, line in enumerate(lines) if line.endswith("# Mitigation"))
    mark = lines[start].partition(" ")[0] + " "
    return start, next(n for n in range(start + 1, len(lines)) if lines[n].startswith(mark))


def audited(repo: Path) -> Told:
    """What `pytest --sre-runbooks` tells, errors and warnings: file's name, line, id."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--sre-runbooks", "-q", "-p", "no:cacheprovider"],
        cwd=repo,
        env={**os.environ, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return told(done.stdout)


def told(output: str) -> Told:
    """The findings of a run's output."""
    return {(Path(file).name, int(line), check) for file, line, check in _TOLD.findall(output)}


def expected(name: str, line: int, check: str) -> tuple[str, int, str]:
    return (name if "." in name else f"{name}.md", line, check)


def test_the_pages_as_they_are_have_no_finding(repo: Path) -> None:
    assert audited(repo) == set()


def test_a_mitigation_that_is_gone(repo: Path) -> None:
    for name in PAGES:
        page = page_of(repo, name)
        lines = page.read_text().splitlines()
        start, end = mitigation(lines)
        page.write_text("\n".join((*lines[:start], *lines[end:])) + "\n")

    found = audited(repo)

    assert {one for one in found if one[2] == "RB104"} == {
        expected(name, FIRST[name], "RB104") for name in PAGES
    }
    # Links to what went with it are dead as well.
    assert {check for _, _, check in found} <= {"RB104", "RB106", "RB003"}


def test_a_mitigation_without_a_body(repo: Path) -> None:
    wanted = set()
    for name in PAGES:
        page = page_of(repo, name)
        lines = page.read_text().splitlines()
        start, end = mitigation(lines)
        page.write_text("\n".join((*lines[: start + 1], "", *lines[end:])) + "\n")
        wanted.add(expected(name, start + 1, "RB103"))

    found = audited(repo)

    assert {one for one in found if one[2] == "RB103"} == wanted
    # Links to its parts are dead as well, and an alert's link to #mitigation leads to no step.
    assert {check for _, _, check in found} <= {"RB103", "RB106", "RB101"}


def test_a_broken_link(repo: Path) -> None:
    wanted = set()
    for name, (old, new) in LINKS.items():
        edit(page_of(repo, name), old, new)
        wanted.add(expected(name, line_of(page_of(repo, name), new), "RB106"))

    assert audited(repo) == wanted


def test_a_renamed_heading_that_an_alert_links_to(repo: Path) -> None:
    wanted = set()
    for name, (heading, rules, anchor) in HEADINGS.items():
        edit(page_of(repo, name), heading + "\n", heading + " by hand\n")
        wanted.add(expected(rules, line_of(repo / "rules" / rules, anchor), "RB003"))

    assert audited(repo) == wanted


def test_todo_in_place_of_a_step(repo: Path) -> None:
    wanted = set()
    for name in PAGES:
        page = page_of(repo, name)
        lines = page.read_text().splitlines()
        start, _ = mitigation(lines)
        page.write_text("\n".join((*lines[: start + 2], "- TODO", "", *lines[start + 2 :])) + "\n")
        wanted.add(expected(name, start + 3, "RB102"))

    assert audited(repo) == wanted


def seeded_live(repo: Path) -> Iterator[tuple[str, int, str]]:
    """A misspelt label in a placeholder, and a broken query, on every page that has them."""
    for name in PAGES:
        page = page_of(repo, name)
        lines = page.read_text().splitlines()
        fence = next(n for n, line in enumerate(lines) if line.strip() == "```promql")
        place = fence + 1
        lines[place] = lines[place].replace(")", "", 1) if ")" in lines[place] else lines[place] + " +"
        page.write_text("\n".join(lines) + "\n")
        yield expected(name, place + 1, "RB401")
    for name, old, new in (
        ("platform", "kubectl -n <job> get pods", "kubectl -n <jbo> get pods"),
        ("platform", "ping -c 3 <instance>", "ping -c 3 <instnce>"),
    ):
        edit(page_of(repo, name), old, new)
        yield expected(name, line_of(page_of(repo, name), new), "RB404")


def test_queries_and_placeholders_while_the_alerts_fire(repo: Path, newest: Pair) -> None:
    wanted = set(seeded_live(repo))

    result = run(repo, newest)

    assert {one for one in told(result.output) if one[2] in ("RB401", "RB404")} == wanted
