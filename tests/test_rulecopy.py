"""What the real promtool says of rule files, told with the user's own lines."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from pytest_sre.model.rules import RuleFile
from pytest_sre.sources import yamlfile
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.stack import rulecopy
from pytest_sre.stack.process import ProcessStack

GOOD = """\
# a comment
groups:
  - name: a
    rules:

      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        # another
        expr: |
          up
          == 0
        annotations:
          summary: "{{ $labels.job }} is down"
"""
BROKEN = {
    "PromQL": (GOOD.replace("== 0", "== )"), (8, 10, 11, 12), "parse error"),
    "function": (GOOD.replace("sum by (job) (up)", "summ(up)"), (6, 7), "summ"),
    "duplicate group": (GOOD + "  - name: a\n    rules: [{record: x, expr: up}]\n", (15,), "repeated"),
    "unknown field": (GOOD + "        frobnicate: 5\n", (15,), "frobnicate"),
    "template": (
        GOOD.replace("$labels.job }}", "$labels.job }"),
        (8, 13, 14),
        "template|function|unexpected|bad",
    ),
    "limit": (GOOD.replace("    rules:\n", "    limit: many\n    rules:\n"), (4,), "many"),
    "record name": (GOOD.replace("record: job:up:sum", "record: '{}'"), (6,), "record"),
}


def prometheus_rule(text: str) -> str:
    return "kind: PrometheusRule\nspec:\n" + indent(text, "  ")


def check(
    stack: ProcessStack, folder: Path, *texts: str, flags: tuple[str, ...] = ()
) -> list[tuple[str, int, str]]:
    files = [parse_rule_file(f"rules/{i}.yml", text) for i, text in enumerate(texts)]
    return [(v.path, v.line, v.error) for v in rulecopy.check(stack, files, flags, folder)]


def test_good_files(stack: ProcessStack, tmp_path: Path) -> None:
    twice = f"{prometheus_rule(GOOD)}---\n{prometheus_rule(GOOD)}"
    verdicts = check(stack, tmp_path, GOOD, twice)
    assert verdicts == [("rules/0.yml", 1, ""), ("rules/1.yml", 1, "")]


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("wrap", [False, True], ids=["plain", "PrometheusRule"])
def test_broken_files_name_the_users_line(stack: ProcessStack, tmp_path: Path, name: str, wrap: bool) -> None:
    text, lines, word = BROKEN[name]
    shift = 0
    if wrap:
        text, shift = f"{prometheus_rule(GOOD)}---\n{prometheus_rule(text)}", GOOD.count("\n") + 5
    before, verdict, after = check(stack, tmp_path, GOOD, text, GOOD)
    assert (before[2], after[2]) == ("", "")
    assert verdict[0] == "rules/1.yml"
    assert verdict[1] - shift in lines, verdict
    assert any(one in verdict[2] for one in word.split("|")), verdict
    assert str(tmp_path) not in verdict[2]


def test_several_files_are_broken_each_in_its_own_way(stack: ProcessStack, tmp_path: Path) -> None:
    verdicts = check(stack, tmp_path, BROKEN["PromQL"][0], GOOD, BROKEN["unknown field"][0])
    assert [bool(error) for _, _, error in verdicts] == [True, False, True]
    assert "frobnicate" in verdicts[2][2]
    assert "frobnicate" not in verdicts[0][2]


def parsed(text: str) -> RuleFile:
    return parse_rule_file("rules/a.yml", text)


def test_the_copy_holds_what_is_selected_and_needed(tmp_path: Path) -> None:
    file = parsed(GOOD + "      - {alert: Other, expr: up, for: 5m}\n")
    record, down, other = file.groups[0].rules
    copies = rulecopy.write([file], [down], [record], {}, tmp_path / "rules")
    (path,) = (tmp_path / "rules").iterdir()
    (group,) = yamlfile.load_all(path.read_text())[0].value["groups"]
    assert group["interval"] == "1s"
    assert [rule.get("alert") or rule["record"] for rule in group["rules"]] == ["job:up:sum", "Down"]
    assert group["rules"][1] == file.groups[0].document["rules"][1]
    assert copies.places == {(path.name, "a", 0): down}
    assert [change.what for change in copies.changes] == [
        "interval 1s",
        "1 alerts that are not selected left out",
    ]
    assert other not in copies.intervals


def test_intervals_and_templated_labels(tmp_path: Path) -> None:
    head = "groups:\n- name: a\n  interval: 5m\n  rules:\n"
    file = parsed(
        f"{head}  - {{alert: X, expr: up, for: 1h, labels: {{t: '{{{{ $value }}}}'}}}}\n  - {{alert: Y, expr: up, for: 1h}}\n"
    )
    copies = rulecopy.write([file], file.alerts, [], {file.alerts[1]: 30.0}, tmp_path / "rules")
    (path,) = (tmp_path / "rules").iterdir()
    (group,) = yamlfile.load_all(path.read_text())[0].value["groups"]
    assert group["interval"] == "30s"
    assert [rule["for"] for rule in group["rules"]] == ["0s", "1h"]
    assert copies.intervals == dict.fromkeys(file.alerts, 30.0)
    assert any("`for: 0s`" in change.what and change.where == "alert X" for change in copies.changes)


def test_nothing_selected_writes_nothing(tmp_path: Path) -> None:
    copies = rulecopy.write([parsed(GOOD)], [], [], {}, tmp_path / "rules")
    assert list((tmp_path / "rules").iterdir()) == []
    assert copies.changes == ()
