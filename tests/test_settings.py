"""sre.yaml: what is accepted, and what is wrong with the rest, file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sre.errors import UserError
from pytest_sre.model.finding import Location
from pytest_sre.model.slo import PolicyEntry
from pytest_sre.settings import SreYaml, is_settings, of_scope, read_sre_yaml


def read(folder: Path, text: str | bytes) -> SreYaml:
    path = folder / "sre.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_sre_yaml(path)


FULL = """\
rules: [rules/*.yml]
alertmanager: am.yml
metrics: [fixtures/*.prom]
servers:
  prometheus: {binary: ./prometheus, feature_flags: [promql-experimental-functions], lookback_delta: 10m}
  alertmanager: {external_url: "https://am.example/"}
oncall:
  - match: {severity: page, version: 1.10, on: yes}
    reaches: ["pagerduty-*"]
  - match: ['severity=~"a|b"', team!=x]
    never: [slack]
runbooks:
  urls: {"https://r.example/": runbooks/}
series:
  - alert: X
    interval: 30s
    input_series:
      - {series: 'up{job="a"}', values: 0x10}
slos:
  - name: checkout-availability
    objective: 99.9
    window: 30d
    errors: 'http_requests_total{job="checkout",code=~"5.."}'
    total: 'http_requests_total{job="checkout"}'
  - {name: latency, objective: 99.5%, good: 'x_bucket{le="0.3"}', total: x_count}
policy:
  - {budget_gone_within: 90m, notify: page, before_spent: 12.5%}
healthy_error_share: 0.0001
severities: {labels: [priority], page: [p0], ticket: [p1]}
strict: true
"""


def test_everything_at_once(tmp_path: Path) -> None:
    seen = read(tmp_path, FULL)
    assert seen.rules == ("rules/*.yml",)
    assert seen.servers.prometheus.lookback_delta == "10m"
    assert seen.servers.alertmanager.external_url == "https://am.example/"
    assert seen.oncall[0].match == ('severity="page"', 'version="1.10"', 'on="yes"')
    assert seen.oncall[1].match == ('severity=~"a|b"', "team!=x")
    assert seen.series[0].input_series[0].values == "0x10"
    assert [spec.objective for spec in seen.slos] == [99.9, 99.5]
    assert seen.policy[0].before_spent == "12.5%"
    assert seen.healthy_error_share == 0.0001
    assert seen.severities.page == ("p0",)
    assert seen.strict is True
    with pytest.raises(ValueError, match="frozen"):
        seen.strict = False  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}\n", "\ufeff{}\n"])
def test_nothing_is_the_default(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == SreYaml()


@pytest.mark.parametrize("word", ["true", "yes", "on", "True"])
def test_yes_is_true(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, f"strict: {word}\n").strict is True


def test_a_dictionary_of_matchers_is_quoted(tmp_path: Path) -> None:
    assert read(tmp_path, "oncall: [{match: {a: 'say \"hi\\'}}]\n").oncall[0].match == (r'a="say \"hi\\"',)


def test_slos_know_their_place_and_mean_what_is_written(tmp_path: Path) -> None:
    first, second = (spec.as_model("conf/sre.yaml") for spec in read(tmp_path, FULL).slos)

    assert first.location == Location("conf/sre.yaml", FULL[: FULL.index("- name: checkout")].count("\n") + 1)
    assert (first.name, first.objective, first.window, first.good) == (
        "checkout-availability",
        99.9,
        30 * 86400.0,
        None,
    )
    assert first.errors
    assert first.errors.matches({"__name__": "http_requests_total", "job": "checkout", "code": "503"})
    assert str(first.total) == 'http_requests_total{job="checkout"}'
    assert (second.objective, second.window, second.errors) == (99.5, 30 * 86400.0, None)
    assert read(tmp_path, FULL).policy[0].as_model() == PolicyEntry(5400.0, "page", 0.125)


def test_the_default_policy() -> None:
    assert [spec.as_model() for spec in SreYaml().policy] == [
        PolicyEntry(3600.0, "page", 0.1),
        PolicyEntry(86400.0, "ticket", 0.5),
    ]


def test_a_scope_has_slos_of_its_own(tmp_path: Path) -> None:
    text = "slos: [{name: a, objective: 99, errors: e, total: t}]\nscopes:\n  - name: one\n  - {name: two, slos: [], policy: []}\n"
    file = read(tmp_path, text)
    one, two = (of_scope(file, scope) for scope in file.scopes)

    assert [spec.name for spec in one.slos] == ["a"]
    assert one.policy == SreYaml().policy
    assert (two.slos, two.policy) == ((), ())


def slo(**keys: str) -> str:
    """A file with one SLO that has these keys besides its own."""
    own = {"name": "a", "objective": "99", "errors": "e", "total": "t", **keys}
    return "slos:\n  - " + "\n    ".join(f"{key}: {value}" for key, value in own.items()) + "\n"


def entry(within: str = "1h", notify: str = "page", spent: str = "10%") -> str:
    """A policy with one entry."""
    return f"policy:\n  - budget_gone_within: {within}\n    notify: {notify}\n    before_spent: {spent}\n"


WRONG = {
    "unknown key": ("strict: true\nrulez: []\n", 2, "rulez: unknown key"),
    "unknown key below": (
        "servers:\n  prometheus:\n    flags: []\n",
        3,
        "servers.prometheus.flags: unknown key",
    ),
    "type": ("\nrules: 5\n", 2, "rules: must be a list"),
    "boolean": ("strict: perhaps\n", 1, "strict: must be true or false"),
    "duration": ("servers:\n  prometheus:\n    lookback_delta: often\n", 3, '"often" is not a duration'),
    "several values": ("oncall:\n  - match: {team: [a, b]}\n", 2, "oncall.0.match: team: must be a text"),
    "regular expression": (
        "oncall:\n  - match: ['team=~\"(\"']\n",
        2,
        'oncall.0.match: team=~"(": not a valid',
    ),
    "silence": (
        "incidents:\n- name: a\n  alerts: [B]\n  notifications: []\n  silences: ['team=~\"(\"']\n",
        5,
        "not a valid regular",
    ),
    "time": ("oncall:\n  - at: 12\n", 2, "oncall.0.at: must be a time with an offset"),
    "no time": (
        "routing:\n  - labels: {a: b}\n    receivers: []\n    at:\n",
        4,
        "routing.0.at: must be a time",
    ),
    "matcher": ("oncall:\n  - reaches: [a]\n  - match: ['severity']\n", 3, "oncall.1.match"),
    "series": (
        "series:\n  - alert: X\n    input_series:\n      - series: '{}'\n        values: 1\n",
        4,
        "is not a series",
    ),
    "values": (
        "series:\n  - alert: X\n    input_series:\n      - series: up\n        values: five\n",
        5,
        "'five'",
    ),
    "missing": ("series:\n  - input_series: []\n", 2, "series.0.alert: Field required"),
    "objective of 100": (slo(objective="100"), 3, "slos.0.objective: must be less than 100"),
    "objective of 0": (slo(objective="0"), 3, "greater than 0"),
    "objective in words": (slo(objective="three nines"), 3, "valid number"),
    "objective not a number": (slo(objective=".nan"), 3, "slos.0.objective"),
    "window": (slo(window="30"), 6, '"30" is not a duration'),
    "name of an SLO": (slo(name="a b"), 2, "slos.0.name"),
    "errors with a range": (slo(errors="'e[5m]'"), 4, "not a plain selector"),
    "total with a function": (slo(total="rate(t)"), 5, "slos.0.total"),
    "total with an offset": (slo(total="t offset 5m"), 5, "offset"),
    "not PromQL": (slo(total="'t{'"), 5, "slos.0.total"),
    "errors and good": (slo(good="g"), 2, "either `errors` or `good`, not both"),
    "neither errors nor good": (slo().replace("errors: e\n    ", ""), 2, "either `errors` or `good`"),
    "part and total alike": (slo(total="e"), 2, "same selector"),
    "two SLOs of one name": (slo() + slo().removeprefix("slos:\n"), 1, "two SLOs are called a"),
    "notify": (entry(notify="fax"), 3, "'page' or 'ticket'"),
    "no percentage": (entry(spent="10"), 4, '"10" is not a percentage such as 10%'),
    "half a percentage": (entry(spent="'%'"), 4, "is not a percentage"),
    "too much": (entry(spent="101%"), 4, "not more than 100%"),
    "nothing spent": (entry(spent="0%"), 4, "more than 0%"),
    "not a percentage at all": (entry(spent="nan%"), 4, "must be more than 0%"),
    "gone within": (entry(within="soon"), 2, '"soon" is not a duration'),
    "an entry twice": (
        entry() + entry(within="60m").removeprefix("policy:\n"),
        1,
        "two entries ask for a page for a budget gone within 3600s",
    ),
    "a burn slower than the window": (
        "slos:\n  - {name: shop, objective: 99, window: 7d, errors: 'x{a=\"b\"}', total: x}\n"
        + entry(within="8d"),
        3,
        "8d is longer than the window of shop (7d)",
    ),
    "share": ("healthy_error_share: 1.5\n", 1, "healthy_error_share: must be less than 1"),
    "no mapping": ("- rules\n", 1, "top level"),
    "yaml": ("rules: [a\nstrict: true\n", 2, "not valid YAML"),
    "twice": ("strict: true\nstrict: false\n", 2, "set twice"),
    "two documents": ("strict: true\n---\nstrict: false\n", 3, "one document"),
}


@pytest.mark.parametrize(("text", "line", "reason"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_says_where(tmp_path: Path, text: str, line: int, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'sre.yaml'}:{line}: ")
    assert reason in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, "rules: 5\nnonsense: 1\n")
    assert len(str(caught.value).splitlines()) == 2


def test_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"sre\.yaml: cannot be read"):
        read(tmp_path, b"rules: [\xff]\n")


@pytest.mark.parametrize("text", ["when: 2020-13-45\n", "? 5\n", "!!python/object:os.system {a: b}\n"])
def test_odd_yaml_is_no_crash(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("groups:\n- name: sre\n  rules: []\n", False),
        ("namespace: x\ngroups: []\n", False),
        ("strict: true\ngroups: []\n", True),  # its unknown key is told
        ("strikt: true\n", True),
        ("", True),
        ("a: [", True),
    ],
)
def test_a_rule_file_of_the_same_name_is_no_settings(tmp_path: Path, text: str, settings: bool) -> None:
    path = tmp_path / "sre.yml"
    assert not is_settings(path)
    path.write_text(text)
    assert is_settings(path) is settings
