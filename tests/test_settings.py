"""sre.yaml: what is accepted, and what is wrong with the rest, file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sre.errors import UserError
from pytest_sre.settings import SreYaml, read_sre_yaml


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
