"""Files → items: ids, selection, precedence, and what goes wrong before anything starts."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

import pytest_sre.collect  # noqa: F401  (once, not again in every run)

INSTALLED = any(one.value == "pytest_sre.plugin" for one in entry_points(group="pytest11"))
RULES = """\
groups:
- name: a
  rules:
  - alert: Burn
    expr: up == 0
    labels: {severity: page}
  - alert: Burn
    expr: up == 0
    labels: {severity: ticket}
  - alert: Down
    expr: up == 0
"""
CHECKS = ("fires", "pages", "quiet", "detects", "resolves", "steady", "runbook")
BURN = [
    f"rules/x.yml::Burn::{check}[severity={severity}]" for severity in ("page", "ticket") for check in CHECKS
]
DOWN = [f"rules/x.yml::Down::{check}" for check in CHECKS]
ALL = ["rules/x.yml::loads", *BURN, *DOWN]
OWN = ["tests/test_own.py::test_own"]


class Shop:
    """A small repository, and pytest run in it, with warnings as errors."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.put("rules/x.yml", RULES)
        self.put("tests/test_own.py", "def test_own(): pass\n")

    def put(self, name: str, text: str) -> None:
        path = self.pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def ini(self, *lines: str) -> None:
        self.put(
            "pytest.ini",
            "\n".join(["[pytest]", "filterwarnings = error", "sre_backend = process", *lines]) + "\n",
        )

    def run(self, *args: str, inside: bool = False) -> pytest.RunResult:
        if not (self.pytester.path / "pytest.ini").exists():
            self.ini()
        load = () if INSTALLED else ("-p", "pytest_sre.plugin")
        run = self.pytester.runpytest_inprocess if inside else self.pytester.runpytest_subprocess
        return run(*load, *args)

    def ids(self, *args: str) -> list[str]:
        result = self.run("--collect-only", "-q", "--sre-alerts", *args, inside=True)
        assert result.ret in (0, 5), result.stdout.str() + result.stderr.str()
        return [line for line in result.outlines if "::" in line]


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Shop(pytester)


def test_ids(shop: Shop) -> None:
    assert shop.ids() == ALL + OWN


def test_nothing_of_ours_without_the_option(shop: Shop) -> None:
    shop.put("sre.yaml", "nonsense: 1\n")
    result = shop.run("--collect-only", "-q")
    assert result.ret == 0
    assert [line for line in result.outlines if "::" in line] == OWN


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["rules/x.yml::Burn::fires"], [one for one in BURN if "fires" in one]),
        (["rules/x.yml::Burn::fires[severity=page]"], [BURN[0]]),
        (["rules/x.yml::Burn"], BURN),
        (
            ["rules/x.yml::loads", "rules/x.yml::Down::pages"],
            ["rules/x.yml::loads", "rules/x.yml::Down::pages"],
        ),
        (["rules/x.yml"], ALL),
        (["rules"], ALL),
        (["tests"], OWN),
        (["-k", "Down and not runbook"], DOWN[:-1]),
        (["-k", "ticket"], BURN[len(CHECKS) :]),
        (["-m", "sre"], ALL),
        (["-m", "not sre"], OWN),
        (["--deselect", "rules/x.yml::Burn", "rules"], ["rules/x.yml::loads", *DOWN]),
        (["--ignore=rules"], OWN),
        (["--ignore=rules/x.yml"], OWN),
    ],
    ids=" ".join,
)
def test_selection(shop: Shop, args: list[str], expected: list[str]) -> None:
    assert shop.ids(*args) == expected


def test_overlapping_arguments_collect_nothing_twice(shop: Shop) -> None:
    for args in ([".", "rules/x.yml"], ["rules/x.yml", "."], ["rules", "rules/x.yml"]):
        ids = shop.ids(*args)
        assert len(set(ids)) == len(ids)
        assert set(ids) >= set(ALL)


def test_testpaths_that_name_only_tests(shop: Shop) -> None:
    shop.ini("testpaths = tests", "markers = other", "addopts = --strict-markers")
    assert shop.ids() == OWN + ALL
    assert shop.ids("--ignore=rules") == OWN
    assert shop.ids("tests") == OWN


def test_folders_that_pytest_does_not_search_are_collected_where_configured(shop: Shop) -> None:
    shop.put("build/rules/y.yml", RULES)
    assert shop.ids("-m", "sre") == ALL
    shop.put("sre.yaml", "rules: [build/rules/*.yml]\n")
    assert shop.ids("-m", "sre") == [one.replace("rules/x.yml", "build/rules/y.yml") for one in ALL]


def test_alerts_of_equal_name_that_only_their_groups_or_places_tell_apart(shop: Shop) -> None:
    rule = "  - {alert: X, expr: up == 0}\n"
    head = "- name: %s\n  rules:\n"
    shop.put("rules/x.yml", f"groups:\n{head % 'a'}{rule}{head % 'b'}{rule}")
    assert shop.ids("-k", "fires") == [f"rules/x.yml::X::fires[group={name}]" for name in "ab"]
    shop.put("rules/x.yml", f"groups:\n{head % 'a'}{rule}{rule}")
    assert shop.ids("-k", "fires") == [f"rules/x.yml::X::fires[{number}]" for number in "12"]


def test_alerts_told_apart_by_two_labels_with_odd_values(shop: Shop) -> None:
    rules = "".join(
        f"  - {{alert: X, expr: up == 0, labels: {{a: '{a}', b: '{b}'}}}}\n"
        for a, b in ("xy", "xz", ("é[]", "y"))
    )
    shop.put("rules/x.yml", f"groups:\n- name: a\n  rules:\n{rules}")
    suffixes = ("a=x,b=y", "a=x,b=z", r"a=\xe9(),b=y")
    assert shop.ids("-k", "fires") == [f"rules/x.yml::X::fires[{suffix}]" for suffix in suffixes]


def test_the_alertmanager_configuration_has_an_item(shop: Shop) -> None:
    shop.put("am/alertmanager.yml", "route: {receiver: a}\nreceivers: [{name: a}]\n")
    assert shop.ids("-m", "sre") == ["am/alertmanager.yml::loads", "am/alertmanager.yml::coverage", *ALL]


def test_snapshots_add_a_check(shop: Shop) -> None:
    shop.put("fixtures/a.prom", "up 1\n")
    assert shop.ids("-k", "Down") == [*DOWN, "rules/x.yml::Down::known"]


def usage_error(shop: Shop, *args: str) -> str:
    result = shop.run("--sre-alerts", *args, inside=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    return text


def test_an_invalid_sre_yaml_is_a_usage_error_with_its_line(shop: Shop) -> None:
    shop.put("sre.yaml", "strict: true\nrulez: []\n")
    assert "sre.yaml:2: rulez: unknown key" in usage_error(shop)


def test_ambiguous_configurations_are_a_usage_error(shop: Shop) -> None:
    for name in ("a", "b"):
        shop.put(f"{name}/alertmanager.yml", "route: {receiver: a}\nreceivers: [{name: a}]\n")
    text = usage_error(shop)
    assert "several Alertmanager configurations: a/alertmanager.yml, b/alertmanager.yml" in text
    assert "a/alertmanager.yml::loads" in shop.ids("--sre-alertmanager-config=a/alertmanager.yml")


def test_options_that_name_missing_files(shop: Shop) -> None:
    assert "there is no file" in usage_error(shop, "--sre-config=gone.yaml")
    assert "no file matches" in usage_error(shop, "--sre-rules=gone/*.yml")


def test_precedence_of_rule_files(shop: Shop) -> None:
    for name in ("yaml", "ini", "line"):
        shop.put(f"{name}/r.yml", RULES)
    shop.put("sre.yaml", "rules: [yaml/*.yml]\n")
    assert shop.ids("-k", "loads") == ["yaml/r.yml::loads"]
    shop.ini("sre_rules = ini/*.yml")
    assert shop.ids("-k", "loads") == ["ini/r.yml::loads"]
    assert shop.ids("-k", "loads", "--sre-rules=line/*.yml") == ["line/r.yml::loads"]


def test_precedence_of_strict(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def strict(*args: str) -> bool:
        show = "def pytest_report_header(config):\n    return str(config.pluginmanager.get_plugin('sre-alerts').strict)"
        shop.put("conftest.py", show)
        result = shop.run("--collect-only", "--sre-alerts", *args, inside=True)
        return "True" in result.outlines

    assert not strict()
    shop.put("sre.yaml", "strict: true\n")
    assert strict()
    shop.ini("sre_strict = false")
    assert not strict()
    assert strict("--sre-strict")


def test_a_broken_rule_file_has_only_its_own_item(shop: Shop) -> None:
    shop.put("rules/broken.yml", RULES + "   for: 5m\n")
    assert shop.ids("-m", "sre") == ["rules/broken.yml::loads", *ALL]


def test_a_broken_snapshot_has_its_own_item_and_fails_without_any_server(shop: Shop) -> None:
    shop.put("fixtures/node.prom", "ok 1\n<html>\n")
    shop.put("fixtures/good.prom", 'up{job="a"} 1\n')
    ids = shop.ids("-m", "sre")
    assert ids[0] == "fixtures/node.prom::loads"
    assert "rules/x.yml::Down::known" in ids
    result = shop.run("--sre-alerts", "-k", "node.prom")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["fixtures/node.prom:2: this file does not load *", "*not a metrics page*"])


def test_a_broken_rule_file_fails_without_any_server(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("rules/broken.yml", RULES + "   for: 5m\n")
    monkeypatch.setenv("PATH", "")
    result = shop.run("--sre-alerts", "rules/broken.yml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["rules/broken.yml:12: this file does not load *", "*not valid YAML*"])
    assert "Traceback" not in result.stdout.str()


def test_without_servers_one_error_is_told_and_the_rest_skipped(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)  # there pytest's summary repeats whole messages
    result = shop.run("--sre-alerts", "-k", "loads or fires or pages or test_own")
    assert result.ret == 10
    result.assert_outcomes(errors=1, skipped=6, passed=1)
    assert result.stdout.str().count("Install them (Debian: `apt-get install prometheus") == 1
    assert "prometheus, promtool, alertmanager not found" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_servers_that_are_given_and_missing_are_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = shop.run("--sre-alerts", "--sre-promtool=bin/promtool", "rules/x.yml::Down::fires")
    assert result.ret == 10
    result.stdout.fnmatch_lines([f"*{shop.pytester.path}/bin/promtool (not an executable file)*"])


def test_collection_errors_elsewhere(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    shop.put("tests/test_bad.py", "import nowhere_to_be_found\n")
    assert shop.run("--sre-alerts").ret == pytest.ExitCode.INTERRUPTED
    result = shop.run("--sre-alerts", "--continue-on-collection-errors", "-k", "Down or test_own")
    assert result.ret == 10
    assert "AssertionError" not in result.stdout.str()


def test_a_folder_called_sre_is_not_counted(shop: Shop) -> None:
    shop.put("sre/test_more.py", "def test_more(): pass\n")
    result = shop.run("--sre-alerts", "sre")
    result.assert_outcomes(passed=1)
    assert "proven" not in result.stdout.str()
