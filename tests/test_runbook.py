"""Runbook pages, the URLs that lead to them, and what counts as an executable step."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.checks.runbooks.steps import executable_steps
from pytest_sre.model.runbook import Runbook
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.runbook_links import resolve_link, resolve_url

ROOT = Path(__file__).parents[1]
PREFIXES = {"https://runbooks.example/": "pages", "https://runbooks.example/db/": "database"}


def tiers(text: str, anchor: str | None = None) -> list[str]:
    return [step.tier for step in executable_steps(parse_runbook(text), anchor)]


PAGE = """\
---
title: Disk full
sre: {disable: [RB104]}
---
# DiskFull

Meaning: `node_filesystem_avail_bytes` is low, see [the docs](https://docs.example.com/disk).

## Diagnosis & triage

1. Look at the node:

   ```console
   $ df -h
   Filesystem  Size
   ```

## Mitigation {#fix-it}

| what | how |
|---|---|
| old logs | `journalctl --vacuum-size=1G` |

## Diagnosis & triage
<a id="second"></a>
Call [Ann](mailto:ann@example.com).
"""


def test_a_page_keeps_its_lines_also_in_lists_and_tables() -> None:
    page = parse_runbook(PAGE)
    assert [(h.text, h.level, h.line) for h in page.headings] == [
        ("DiskFull", 1, 5),
        ("Diagnosis & triage", 2, 9),
        ("Mitigation", 2, 18),
        ("Diagnosis & triage", 2, 24),
    ]
    assert [(b.language, b.line, b.content.splitlines()[0]) for b in page.blocks] == [
        ("console", 13, "$ df -h")
    ]
    assert [(c.text, c.line) for c in page.code] == [
        ("node_filesystem_avail_bytes", 7),
        ("journalctl --vacuum-size=1G", 22),
    ]
    assert [(link.target, link.line) for link in page.links] == [
        ("https://docs.example.com/disk", 7),
        ("mailto:ann@example.com", 26),
    ]
    assert page.front_matter["sre"] == {"disable": ["RB104"]}


@pytest.mark.parametrize("text", ["---\na: [\n---\n# A\n", "+++\na = 1\n+++\n# A\n", "\n---\n\n# A\n"])
def test_front_matter_of_any_kind_leaves_the_page_readable(text: str) -> None:
    page = parse_runbook(text)
    assert [(h.text, h.line) for h in page.headings] == [("A", 4)]
    assert page.front_matter == {}


@pytest.mark.parametrize(
    ("anchor", "line"),
    [
        ("diskfull", 5),
        ("DiskFull", 5),
        ("diagnosis--triage", 9),  # GitHub, Hugo
        ("diagnosis-triage", 9),  # GitLab
        ("fix-it", 18),
        ("diagnosis--triage-1", 24),
        ("second", 24),
    ],
)
def test_fragments_are_found_in_every_style(anchor: str, line: int) -> None:
    section = parse_runbook(PAGE).section(anchor)
    assert section is not None
    assert section.start == line


def test_a_section_holds_its_sub_sections_and_ends_at_the_next_of_its_level() -> None:
    page = parse_runbook("# A\n## B\n### C\n## D\n# E\n")
    ends = {h.text: page.section_of(h).end for h in page.headings}
    assert ends == {"A": 5, "B": 4, "C": 4, "D": 5, "E": 7}
    assert page.section("nowhere") is None


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for name in ("pages/Disk Full.md", "pages/api/index.md", "pages/web/README.md", "pages/CamelCase.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# x\n")
    (tmp_path / "database").mkdir()
    (tmp_path / "database/lag.md").write_text("# lag\n")
    (tmp_path / "secret.md").write_text("# secret\n")
    return tmp_path


@pytest.mark.parametrize(
    ("url", "path", "anchor"),
    [
        ("https://runbooks.example/Disk%20Full#a%20b", "pages/Disk Full.md", "a b"),
        ("HTTPS://Runbooks.Example/Disk%20Full.md?plain=1", "pages/Disk Full.md", None),
        ("https://runbooks.example/api/#x", "pages/api/index.md", "x"),
        ("https://runbooks.example/web", "pages/web/README.md", None),
        ("https://runbooks.example/camelcase/", "pages/CamelCase.md", None),  # Hugo
        ("https://runbooks.example/db/lag", "database/lag.md", None),
        ("pages/CamelCase.md#b", "pages/CamelCase.md", "b"),
        ("https://github.com/o/r/blob/main/database/lag.md#lag", "database/lag.md", "lag"),
        ("https://github.com/o/r/blob/release/1.2/database/lag.md", "database/lag.md", None),
        ("https://gitlab.example.com/g/sub/r/-/blob/main/database/lag.md", "database/lag.md", None),
    ],
)
def test_urls_lead_to_files(pages: Path, url: str, path: str, anchor: str | None) -> None:
    found = resolve_url(url, PREFIXES, pages)
    assert found is not None
    assert (found.path, found.anchor) == (pages / path, anchor)


def test_a_configured_url_without_page_says_what_was_looked_for(pages: Path) -> None:
    found = resolve_url("https://runbooks.example/db/gone", PREFIXES, pages)
    assert found is not None
    assert found.path == pages / "database/gone.md"
    assert not found.path.exists()
    assert pages / "database/gone/index.md" in found.tried


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/Disk%20Full",
        "https://runbooks.example.evil/api",
        "https://runbooks.example/../secret.md",
        "https://runbooks.example/..%2Fsecret.md",
        "https://runbooks.example//etc/../../../secret",
        "../outside.md",
        "https://github.com/o/r/blob/main/no/such.md",
        "https://github.com/o/r/blob/main/../../outside.md",
        "https://runbooks.example/a%00b",
        "https://[runbooks.example/api",
        "",
    ],
)
def test_what_is_not_ours_or_escapes_leads_nowhere(pages: Path, url: str) -> None:
    found = resolve_url(url, PREFIXES, pages)
    assert found is None or not found.path.exists()
    assert found is None or found.path.is_relative_to(pages / "pages")


@given(st.text(alphabet="/.%2eEfF#?ab\\\0~-", max_size=40))
def test_no_url_leads_out_of_its_folder(rest: str) -> None:
    for url in (f"https://runbooks.example/{rest}", f"https://github.com/o/r/blob/main/{rest}", rest):
        found = resolve_url(url, {"https://runbooks.example/": "runbooks"}, ROOT)
        assert found is None or all(
            path.resolve().is_relative_to(ROOT) for path in (found.path, *found.tried)
        )


MARKDOWN = st.text(alphabet="ab1 \n`~#-*>$|<{}[]()=.\"'\\:!", max_size=200)


@given(MARKDOWN)
def test_any_text_is_a_page_and_steps_lie_within_it(text: str) -> None:
    page = parse_runbook(text)
    for step in executable_steps(page, None):
        assert 1 <= step.line <= page.length
        assert step.text


def test_a_name_too_long_for_the_file_system_is_a_missing_page(pages: Path) -> None:
    found = resolve_url("https://runbooks.example/" + "a" * 5000, PREFIXES, pages)
    assert found is not None
    assert not any(os.path.isfile(path) for path in found.tried)


def test_a_symbolic_link_does_not_lead_out(pages: Path) -> None:
    (pages / "pages/link.md").symlink_to(pages / "secret.md")
    assert resolve_url("https://runbooks.example/link.md", PREFIXES, pages) is None
    guessed = resolve_url("https://runbooks.example/link", PREFIXES, pages)
    assert guessed is not None
    assert pages / "pages/link.md" not in guessed.tried


def test_links_start_at_their_page(pages: Path) -> None:
    page = pages / "pages/api/index.md"

    def path(target: str) -> Path | None:
        found = resolve_link(target, page, PREFIXES, pages)
        return found.path if found else None

    assert path("../web/README.md#x") == pages / "pages/web/README.md"
    assert path("/database/lag.md") == pages / "database/lag.md"
    assert path("https://runbooks.example/db/lag") == pages / "database/lag.md"
    assert path("#below") == page
    assert path("../../../../etc/passwd") is None


@pytest.mark.parametrize(
    "text",
    [
        "```bash\n$ kubectl -n <namespace> get pods\n```",
        "```\nsh-4.4# chronyc sources\n```",
        "```\n[root@node ~]# df -h\n```",
        "```console\nalice@bastion:~$ our-tool drain <node>\n```",
        "```sh\nour-tool drain node-1\n```",
        "```\nNAMESPACE=shop\nkubectl -n $NAMESPACE \\\n  get pods\n```",
        "```\nsudo -u postgres pg_ctl reload\n```",
        "    kubectl get nodes\n",
        "- a\n  - b\n\n    ```text\n    $ curl -s https://shop.example/healthz\n    ```",
        "Run `kubectl get pods` now.",
        "Run `$ sudo systemctl restart nginx` now.",
        "Run `# ceph status` now.",
        "~~~powershell\nGet-Service Spooler\n~~~",
    ],
)
def test_commands_are_steps(text: str) -> None:
    assert tiers(text) == ["E1"]


@pytest.mark.parametrize(
    "text",
    [
        '```promql\nsum by (job) (rate(http_requests_total{job="<job>"}[$__rate_interval]))\n```',
        "```bash\nhistogram_quantile(0.99, sum by (le) (rate(http_seconds_bucket[5m])))\n```",
        "Query `up == 0`.",
        'Query `rate(http_requests_total{code=~"5.."}[5m])`.',
        '```logql\n{app="checkout"} |= "error"\n```',
        'Query `{app="checkout"} |= "error"`.',
        "```sql\nSELECT * FROM pg_stat_activity;\n```",
        "```\npostgres=# SELECT pg_reload_conf();\n```",
        "```\n>>> queue.purge()\n```",
        "Say `/incident declare checkout` in Slack.",
    ],
)
def test_queries_are_steps(text: str) -> None:
    assert tiers(text) == ["E2"]


@pytest.mark.parametrize(
    "text",
    [
        "Check the logs and restart the pod.",
        "```\nNAME   READY   STATUS\napi-0  0/1     CrashLoopBackOff\n```",
        "```yaml\nreplicas: 3\n```",
        '```json\n{"status": "firing"}\n```',
        "```bash\n# find the pod that crashes\n```",
        "```\nfind the pod, then restart it\n```",
        "```promql\nsum(rate(\n```",
        "```\n```",
        "The metric `http_requests_total` and the tool `kubectl`.",
        "The error `no such host` is printed.",
        "See [the manual](https://kubernetes.io/docs/tasks/) and [Grafana](https://grafana.com/docs/grafana/).",
        "<!-- `kubectl get pods` -->",
    ],
)
def test_prose_output_and_configuration_are_not(text: str) -> None:
    assert tiers(text) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://grafana.shop.example/d/abc/checkout",
        "https://shop.example/grafana/d/abc/checkout?var-job=x",
        "https://console.cloud.google.com/kubernetes",
        "https://prometheus.shop.example/graph?g0.expr=up",
    ],
)
def test_dashboards_and_consoles_are_steps(url: str) -> None:
    assert tiers(f"Open [it]({url}).") == ["E3"]


def test_a_link_counts_if_its_own_target_has_a_step() -> None:
    pages = {"a.md": "[b](b.md)", "b.md": "# x\n\n## y\n`kubectl get pods`\n\n## z\n[a](a.md)"}

    def follow(target: str) -> tuple[Runbook, str | None] | None:
        name, _, anchor = target.partition("#")
        return (parse_runbook(pages[name]), anchor or None) if name in pages else None

    def steps(text: str) -> list[str]:
        return [s.tier for s in executable_steps(parse_runbook(text), None, follow)]

    assert steps("[x](b.md#y)") == ["E3"]
    assert steps("[x](b.md#z) [x](b.md#nowhere) [x](a.md) [x](gone.md)") == []


def test_only_the_section_of_the_fragment_counts() -> None:
    text = "# All\n\n## One\n\n`kubectl get pods`\n\n## Two\n\nAsk Bob.\n"
    assert [tiers(text, anchor) for anchor in (None, "one", "two", "three")] == [["E1"], ["E1"], [], []]


def test_steps_say_where_they_stand_and_in_which_part() -> None:
    page = parse_runbook(
        "# CheckoutErrors\n`oc whoami`\n## Diagnosis\n### Rollback or not?\n`oc get pods`\n"
        "## Mitigation\n`oc rollout undo x`\n"
    )
    steps = executable_steps(page, None)
    assert [(s.line, s.group, s.text) for s in steps] == [
        (2, "other", "oc whoami"),
        (5, "diagnosis", "oc get pods"),
        (7, "mitigation", "oc rollout undo x"),
    ]


RUNBOOKS = sorted((ROOT / "runbooks").glob("*.md"))


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.name)
def test_every_runbook_of_the_example_can_be_executed_in_all_its_parts(page: Path) -> None:
    runbook = parse_runbook(page.read_text())
    parts = [h for h in runbook.headings if h.text in ("Diagnosis", "Mitigation", "Verification")]
    assert parts
    steps = executable_steps(runbook, None)
    assert {"diagnosis", "mitigation"} <= {step.group for step in steps}
    assert [h.text for h in parts if not any(s.line in runbook.section_of(h) for s in steps)] in (
        [],
        ["Mitigation"],
    )


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.name)
def test_every_link_and_query_of_the_example_is_alive(page: Path) -> None:
    runbook = parse_runbook(page.read_text())
    for link in runbook.links:
        found = resolve_link(link.target, page, {}, page.parent)
        assert found is not None, link
        assert parse_runbook(found.path.read_text()).section(found.anchor), link
    steps = {step.line: step.tier for step in executable_steps(runbook, None)}
    assert [b for b in runbook.blocks if b.language == "promql" and steps.get(b.line) != "E2"] == []
    assert [b for b in runbook.blocks if b.language == "console" and steps.get(b.line) != "E1"] == []


def test_every_alert_of_the_example_has_a_runbook_of_its_own_with_steps() -> None:
    shop = ROOT / "examples" / "shop"
    rules = "".join(path.read_text() for path in sorted((shop / "rules").glob("*.yml")))
    urls = re.findall(r"runbook_url: (\S+)", rules)
    assert len(urls) == rules.count("- alert:") > 10
    for url in urls:
        page = resolve_url(url, {"https://runbooks.shop.example/": "../../runbooks/"}, shop)
        assert page is not None
        assert page.path.is_file(), url
        assert executable_steps(parse_runbook(page.path.read_text()), page.anchor), url


def test_the_examples_of_the_documentation_are_what_they_say() -> None:
    page = parse_runbook((ROOT / "docs" / "checks" / "runbook.md").read_text())
    examples = [(b.info.split()[1], b.content) for b in page.blocks if b.language == "markdown"]
    assert {said for said, _ in examples} == {"E0", "E1", "E2", "E3"}
    for said, text in examples:
        assert tiers(text) == ([] if said == "E0" else [said]), text
