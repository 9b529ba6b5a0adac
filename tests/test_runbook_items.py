"""`--sre-runbooks` in repositories of all kinds: items of pages and alerts, each page audited once."""

from __future__ import annotations

import re

import pytest

import pytest_sre.session  # noqa: F401  (once, not again in every run)

RULES = """\
groups:
- name: a
  rules:
  - alert: Burn
    expr: up == 0
    labels: {severity: page}
    annotations:
      summary: It burns
      runbook_url: https://runbooks.shop.example/burn
  - alert: Lag
    expr: up == 0
    labels: {severity: ticket}
    annotations: {runbook: "https://runbooks.shop.example/all#lag"}
"""
SETTINGS = "runbooks:\n  urls: {'https://runbooks.shop.example/': runbooks}\n"
STEPS = "## Diagnosis\n\n`kubectl get pods -A`\n\n## Mitigation\n\n`kubectl rollout undo deployment x`\n"
PAGES = {
    "runbooks/burn.md": f"# Burn\n\n{STEPS}",
    "runbooks/all.md": "# All\n\n## Lag\n\nAsk Ann.\n\n## Other\n\nTODO\n",
}
ITEMS = {"executable-steps", "finished", "sections", "links", "commands", "upkeep"}


class Repository:
    """A repository, and pytest run in it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.put("pytest.ini", "[pytest]\n")

    def put(self, name: str, text: str) -> None:
        path = self.pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def fill(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            self.put(name, text)

    def run(self, *args: str) -> pytest.RunResult:
        given = ("-p", "no:cacheprovider", *(args or ("--sre-runbooks",)))
        if "-n" in args:
            return self.pytester.runpytest_subprocess(*given)
        return self.pytester.runpytest_inprocess("-W", "default", *given)  # our own filter makes them errors

    def ids(self, *args: str) -> set[str]:
        lines = self.run("--collect-only", "-q", *(args or ("--sre-runbooks",))).outlines
        return {line for line in lines if "::" in line}

    def outcomes(self, *args: str) -> dict[str, str]:
        """Outcome by item."""
        lines = self.run("-v", *(args or ("--sre-runbooks",))).outlines
        found = (
            re.match(
                r"(?:\[gw\d\] \[ *\d+%\] )?(?:(PASSED|FAILED|SKIPPED) )?(\S+::\S+)(?: (PASSED|FAILED|SKIPPED))?",
                line,
            )
            for line in lines
        )
        return {one[2]: (one[1] or one[3]) for one in found if one and (one[1] or one[3])}


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for name in ("PYTEST_ADDOPTS", "PYTHONWARNINGS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return Repository(pytester)


def of(*pages: str) -> set[str]:
    return {f"{page}::{item}" for page in pages for item in ITEMS}


def test_only_pages(repository: Repository) -> None:
    repository.fill({**PAGES, "sre.yaml": "runbooks: {pages: ['runbooks/*.md']}\n"})
    assert repository.ids() == of("runbooks/burn.md", "runbooks/all.md")
    outcomes = repository.outcomes()
    assert outcomes["runbooks/burn.md::executable-steps"] == "PASSED"
    assert outcomes["runbooks/all.md::finished"] == "FAILED"


def test_only_rules(repository: Repository) -> None:
    repository.fill({"rules.yml": RULES, "sre.yaml": SETTINGS})
    result = repository.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "rules.yml:9: the runbook of Burn does not exist [[]RB002[]]",
            "  expected: a page for https://runbooks.shop.example/burn",
            "  seen:     no file runbooks/burn, runbooks/burn.md, runbooks/burn/index.md,*",
            "rules.yml:13: the runbook of Lag does not exist [[]RB002[]]",
        ]
    )


def test_nothing_at_all(repository: Repository) -> None:
    assert repository.run().ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize("args", [(), ("-n", "2")])
def test_alerts_and_their_pages(repository: Repository, args: tuple[str, ...]) -> None:
    repository.fill({**PAGES, "rules.yml": RULES, "sre.yaml": SETTINGS})
    outcomes = repository.outcomes("--sre-runbooks", *args)
    alerts = {"rules.yml::Burn::runbook", "rules.yml::Lag::runbook"}
    assert set(outcomes) == of("runbooks/burn.md", "runbooks/all.md") | alerts
    assert outcomes["rules.yml::Burn::runbook"] == "PASSED"
    assert outcomes["rules.yml::Lag::runbook"] == "FAILED"
    assert outcomes["runbooks/all.md::executable-steps"] == "FAILED"
    # Only what alerts link to is their runbook.
    assert outcomes["runbooks/all.md::finished"] == "PASSED"


def test_the_alert_tells_rb101_of_its_section_and_the_page_the_rest(repository: Repository) -> None:
    pages = {**PAGES, "runbooks/all.md": "# All\n\n## Lag\n\nTODO\n"}
    repository.fill({**pages, "rules.yml": RULES, "sre.yaml": SETTINGS})
    both = repository.run("--sre-runbooks", "rules.yml::Lag::runbook")
    both.stdout.fnmatch_lines(["runbooks/all.md:3: Lag has no executable step [[]RB101[]]"])
    both.stdout.no_fnmatch_line("*RB102*")
    alone = repository.run("--sre-alerts", "rules.yml::Lag::runbook")
    alone.stdout.fnmatch_lines(
        ["runbooks/all.md:3: Lag has no executable step [[]RB101[]]", "runbooks/all.md:5: *RB102*"]
    )


def test_a_dead_anchor_names_those_that_there_are(repository: Repository) -> None:
    repository.fill({**PAGES, "rules.yml": RULES.replace("#lag", "#lags"), "sre.yaml": SETTINGS})
    repository.run("--sre-runbooks", "rules.yml").stdout.fnmatch_lines(
        [
            "rules.yml:13: the runbook of Lag has no section #lags [[]RB003[]]",
            "  expected: a heading in runbooks/all.md with the anchor lags",
            "  seen:     anchors: all, lag, other",
        ]
    )


NONE = """\
groups:
- name: a
  rules:
  - {alert: Burn, expr: up == 0, labels: {severity: page}}
  - {alert: Lag, expr: up == 0, labels: {severity: ticket}}
"""


@pytest.mark.parametrize(
    ("severities", "failed", "warnings"),
    [
        ("{}", 1, 1),
        ("{RB001: warning}", 0, 2),
        ("{RB001: error}", 2, 0),
        ("{RB001: 'off'}", 0, 0),
        ("{RB001: info}", 0, 0),
    ],
)
def test_an_alert_without_runbook(
    repository: Repository, severities: str, failed: int, warnings: int
) -> None:
    repository.fill({"rules.yml": NONE, "sre.yaml": f"runbooks: {{severities: {severities}}}\n"})
    repository.run().assert_outcomes(failed=failed, passed=2 - failed, warnings=warnings)


def test_with_strict_a_warning_fails_and_so_does_a_link_elsewhere(repository: Repository) -> None:
    elsewhere = NONE.replace(
        "severity: page}", "severity: page}, annotations: {playbook: 'https://x.example/'}"
    )
    repository.fill({"rules.yml": elsewhere})
    repository.run().assert_outcomes(passed=1, skipped=1, warnings=1)
    repository.run("--sre-runbooks", "--sre-strict").assert_outcomes(failed=2)


def test_pages_named_on_the_command_line(repository: Repository) -> None:
    repository.fill(PAGES)
    assert repository.ids("--sre-runbooks", "runbooks/all.md") == of("runbooks/all.md")
    one = "runbooks/all.md::finished"
    assert repository.outcomes("--sre-runbooks", one) == {one: "FAILED"}
    assert repository.ids("--sre-runbooks") == set()
    repository.run("--sre-alerts", "runbooks/all.md").assert_outcomes()


def test_several_scopes(repository: Repository) -> None:
    settings = """\
scopes:
  - {name: eu, folder: eu, runbooks: {urls: {'https://runbooks.shop.example/': ../runbooks}}}
  - {name: us, folder: us, runbooks: {pages: ['../runbooks/*.md']}}
"""
    repository.fill({**PAGES, "eu/rules.yml": RULES, "us/rules.yml": NONE, "sre.yaml": settings})
    pages = {f"{one}[{scope}]" for one in of("runbooks/burn.md", "runbooks/all.md") for scope in ("eu", "us")}
    alerts = {
        f"{scope}/rules.yml::{alert}::runbook[{scope}]" for scope in ("eu", "us") for alert in ("Burn", "Lag")
    }
    assert repository.ids() == pages | alerts
    outcomes = repository.outcomes()
    assert outcomes["eu/rules.yml::Burn::runbook[eu]"] == "PASSED"
    assert outcomes["us/rules.yml::Burn::runbook[us]"] == "FAILED"
    assert outcomes["runbooks/all.md::finished[us]"] == "FAILED"


def test_pages_outside_of_the_root_folder(repository: Repository) -> None:
    settings = "runbooks:\n  urls: {'https://runbooks.shop.example/': ../runbooks}\n  pages: [../more/*.md]\n"
    inner = {"repo/pytest.ini": "[pytest]\n", "repo/sre.yaml": settings, "repo/rules.yml": RULES}
    repository.fill({**PAGES, **inner, "more/x.md": PAGES["runbooks/burn.md"]})
    args = ("--sre-runbooks", "--rootdir=repo", "-c", "repo/pytest.ini", "repo")
    (repository.pytester.path / "pytest.ini").unlink()
    pages = of("../runbooks/burn.md", "../runbooks/all.md", "../more/x.md")
    assert repository.ids(*args[:-1]) >= pages


def test_the_repositorys_own_url_needs_no_settings(repository: Repository) -> None:
    rules = RULES.replace(
        "https://runbooks.shop.example/burn", "https://github.com/acme/shop/blob/main/runbooks/burn.md"
    )
    rules = rules.replace(
        "https://runbooks.shop.example/all", "https://github.com/acme/shop/blob/main/runbooks/lag.md"
    )
    git = '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n'
    repository.fill({**PAGES, "rules.yml": rules, ".git/config": git})
    outcomes = repository.outcomes("--sre-runbooks", "rules.yml")
    assert outcomes == {"rules.yml::Burn::runbook": "PASSED", "rules.yml::Lag::runbook": "FAILED"}


def test_a_runbook_that_is_no_markdown_or_a_folder_is_not_judged(repository: Repository) -> None:
    rules = RULES.replace("https://runbooks.shop.example/burn", "runbooks/burn.pdf").replace(
        "https://runbooks.shop.example/all#lag", "runbooks"
    )
    repository.fill({**PAGES, "rules.yml": rules, "runbooks/burn.pdf": "%PDF"})
    result = repository.run("--sre-runbooks", "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        ["*runbooks/burn.pdf is no Markdown*", "*runbooks is the folder runbooks, no page*"]
    )


@pytest.mark.parametrize("pattern", ["docs/*.md", "", "a**b", "/nowhere/*.md"])
def test_a_glob_that_finds_nothing_is_an_error_for_the_user(repository: Repository, pattern: str) -> None:
    repository.fill({"sre.yaml": f"runbooks: {{pages: ['{pattern}']}}\n"})
    result = repository.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: pytest-sre: runbooks: pages: {pattern.replace('*', '[*]')}*"])


def test_a_page_that_cannot_be_read_fails_once_and_for_its_alert(repository: Repository) -> None:
    repository.fill({"rules.yml": RULES, "sre.yaml": SETTINGS, "runbooks/all.md": PAGES["runbooks/all.md"]})
    (repository.pytester.path / "runbooks/burn.md").write_bytes(b"# Burn \xff\xfe")
    result = repository.run("--sre-runbooks", "-k", "burn or Burn")
    result.assert_outcomes(failed=2, skipped=5, deselected=7)
    result.stdout.fnmatch_lines(["runbooks/burn.md:1: this runbook cannot be read: not UTF-8 text (byte 7)*"])


@pytest.mark.parametrize("kind", ["long", "loop"])
def test_a_link_to_no_possible_file_costs_its_own_alert_only(repository: Repository, kind: str) -> None:
    repository.fill({"rules.yml": RULES, "sre.yaml": SETTINGS, **PAGES})
    if kind == "long":
        repository.put("rules.yml", RULES.replace("shop.example/burn", "shop.example/" + "a" * 300))
    else:
        page = repository.pytester.path / "runbooks" / "burn.md"
        page.unlink()
        page.symlink_to("burn.md")

    found = repository.outcomes()

    assert found["rules.yml::Burn::runbook"] == "FAILED"
    assert found["runbooks/all.md::links"] == "PASSED"


def test_the_severity_of_what_cannot_be_read_is_a_setting_too(repository: Repository) -> None:
    repository.put("sre.yaml", "runbooks: {pages: ['runbooks/*.md'], severities: {RB000: warning}}\n")
    repository.put("runbooks/x.md", "x" * 300_000)

    repository.run().assert_outcomes(passed=1, skipped=5, warnings=1)


def test_a_glob_without_markdown_says_so(repository: Repository) -> None:
    repository.put("sre.yaml", "runbooks: {pages: ['runbooks/*']}\n")
    repository.put("runbooks/x.rst", "x")

    repository.run().stderr.fnmatch_lines(["*runbooks/[*] matches no Markdown page*"])
