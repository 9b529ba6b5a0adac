"""Workflow commands as GitHub documents them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_sre.model.finding import Finding, Location, Severity
from pytest_sre.report.github import SHOWN, commands
from pytest_sre.report.outcome import Outcome

TOP = Path("/work")
ROOT = TOP / "examples" / "shop"


def failed(
    summary: str, severity: Severity = "error", path: str = "rules/x.yml", name: str = "Burn"
) -> Outcome:
    where = Location(path, 4)
    finding = Finding("pages", where, summary, "a", "b", "c", severity=severity)
    return Outcome(f"{path}::{name}::pages", "pages", name, "failed", where, summary, (finding,))


def parse(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it: kind, properties, message."""
    _, head, message = line.split("::", 2)
    kind, _, listed = head.partition(" ")
    properties = dict(pair.split("=", 1) for pair in listed.split(","))
    return kind, {key: unquote(value) for key, value in properties.items()}, unquote(message)


def test_a_finding_is_a_command_at_its_place_in_the_repository() -> None:
    assert commands([failed("50 % pages, nobody: none")], ROOT, TOP) == [
        "::error file=examples/shop/rules/x.yml,line=4,title=Burn%3A%3Apages::"
        "50 %25 pages, nobody: none [pages]%0A  expected: a%0A  seen:     b%0A  next:     c"
    ]


def test_a_finding_that_warns_is_a_warning() -> None:
    (line,) = commands([failed("x", "warning")], ROOT, TOP)
    assert line.startswith("::warning file=")


@settings(deadline=None)
@given(st.text(), st.text(",%=\r\n a", min_size=1))
def test_any_text_is_one_line_and_comes_back(summary: str, name: str) -> None:
    (line,) = commands([failed(summary, path=f"rules/{name.strip() or 'x'}.yml", name=name)], ROOT, TOP)
    assert "\n" not in line
    assert "\r" not in line
    kind, properties, message = parse(line)
    assert (kind, properties["line"], properties["title"]) == ("error", "4", f"{name}::pages"[:200])
    assert message.splitlines()[-1] == "  next:     c"


def test_a_broken_stack_is_told_once_and_at_no_line() -> None:
    broken = [
        Outcome(f"x.yml::{name}::pages", "pages", name, "error", Location("x.yml", 1), "no promtool")
        for name in "AB"
    ]
    assert commands(broken, ROOT, TOP) == ["::error title=pytest-sre%3A error::no promtool"]


def test_what_github_does_not_show_is_counted() -> None:
    many = [failed(f"error {n}") for n in range(SHOWN + 2)] + [
        failed(f"x {n}", "warning") for n in range(SHOWN + 1)
    ]
    lines = commands(many, ROOT, TOP)
    kinds = [parse(line)[0] for line in lines]
    assert kinds == ["error"] * SHOWN + ["warning"] * SHOWN + ["notice"]
    assert (
        parse(lines[-1])[2]
        == "GitHub shows 10 of each kind; only the job's summary has 2 more errors and 1 more warning"
    )


def test_a_long_message_is_cut() -> None:
    _, _, message = parse(commands([failed("x" * 10_000)], ROOT, TOP)[0])
    assert len(message) < 4096
    assert message.endswith("\n… cut; pytest's output has all of it")
