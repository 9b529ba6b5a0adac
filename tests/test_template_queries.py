"""Texts of alerts that ask Prometheus themselves: what they ask for is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from servers import Pair
from shop import run
from test_synthesis import all_series, planned, rule

from pytest_sre.promql.printer import to_text
from pytest_sre.promql.queries import queries

RULES = """\
groups:
- name: disks
  rules:
  - alert: DiskDown
    expr: disk_up == 0
    annotations:
      summary: |
        {{- with query "disk_up == 0" }}{{ . | first | value }}{{ end }}
        {{- range query "(disk_up == 0) * on (disk) group_left (host) disk_info" }}
        {{ .Labels.host }} has lost {{ .Labels.disk }}{{ end }}
      console: '{{ with $url := "console_url" | query }}{{ label "url" (first $url) }}{{ end }}'
      owner: '{{ printf `owner_info{disk="%s"}` $labels.disk | query | first | label "team" }}'
"""


def test_queries_are_found_in_texts() -> None:
    alert = replace(
        rule("A", "x > 5"),
        annotations={
            "a": '{{ with query "up == 0" }}{{ end }} {{ `y` | query }} {{ query (printf "z{i=%q}" $labels.i) }}',
            "b": 'this query "is not PromQL" and {{ query "sum(" }}',
        },
    )
    assert [to_text(query) for query in queries(alert)] == ["up == 0", "y", 'z{i=~".+"}']


def test_what_texts_ask_for_is_planned_with_labels_that_agree() -> None:
    alert = replace(
        rule("Down", "disk_up == 0"),
        annotations={
            "a": '{{ query "disk_up * on (disk) group_left (host) disk_info" | first | label "host" }}'
        },
    )
    series = {dict(one.labels)["__name__"]: dict(one.labels) for one in all_series(planned(alert))}
    assert series.keys() == {"disk_up", "disk_info"}
    assert series["disk_up"]["disk"] == series["disk_info"]["disk"]
    assert series["disk_info"]["host"]


def test_texts_render_on_real_servers(pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "rules.yml").write_text(RULES)
    result = run(folder, pair, "-k", "fires")
    assert result.outcomes == {"rules.yml::DiskDown::fires": "PASSED"}, result.output
    texts = result.seen["alerts"][0]["fired"][0]["annotations"]
    assert "has lost disk-" in texts["summary"]
    assert all(texts[name] and "error" not in texts[name] for name in ("console", "owner"))
