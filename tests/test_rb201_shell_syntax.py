"""RB201: what stands in a block of shell is shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from runbook_pages import agree, hits_in

from pytest_sre.checks.runbooks import rb201_shell_syntax as check


def test_the_page_of_the_check_is_true() -> None:
    agree(check, most=1)


def _kind(content: str, tmp_path: Path, language: str = "bash") -> tuple[int, str] | None:
    hits = hits_in(check, f"# Title\n\n```{language}\n{content}\n```\n", tmp_path)
    return (hits[0].line, hits[0].message.rpartition(": ")[2]) if hits else None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("echo ok\necho 'never closed", (5, "a typo")),
        ("for pod in a b; do\n  oc delete pod $pod\n", (6, "a typo")),
        ("if true; then echo x", (4, "a typo")),
        ('our-tool restart --name="x', (4, "a typo")),
        ("kubectl get pods |", (4, "a typo")),
        ("Warning  Failed  3m  node(s) didn't match", (3, "output")),
        ('[\n  {\n    "status": "False"\n  }\n]', (3, "output")),
        ("$ oc get sc\nNAME\nstandard (default)   x", (6, "a transcript")),
        ("oc get sc\nNAME\nstandard (default)   x", (6, "a transcript")),
        ("topk(5,\n  rate(http_requests_total[5m]))", (3, "a query")),
    ],
)
def test_says_what_it_is_and_where(content: str, kind: tuple[int, str], tmp_path: Path) -> None:
    assert _kind(content, tmp_path) == kind


@pytest.mark.parametrize(
    "content",
    [
        "kubectl get pod <pod> -n <namespace> > <file>",
        "sh-4.4# chroot /host",
        "[core@node ~]$ sudo -i",
        "oc get pods\n...\noc get nodes",
        "curl {{ $labels.instance }}/metrics",
        "cat <<EOF | kubectl apply -f -\nkind: Pod\nEOF",
        "for p in $(oc get pods -o name); do\n  oc logs $p\ndone",
        "NODE=<node>\noc debug node/${NODE} -- chroot /host sh -c 'df -h; du -sh /var/*'",
        "",
    ],
)
@pytest.mark.parametrize("language", ["bash", "sh", "shell"])
def test_what_people_write_is_fine(content: str, language: str, tmp_path: Path) -> None:
    assert _kind(content, tmp_path, language) is None


def test_a_session_in_a_shell_block_may_show_output_but_no_typos(tmp_path: Path) -> None:
    assert _kind("$ oc get sc\nstandard (default)   x", tmp_path, "shell") is None
    assert _kind("oc logs 'pod", tmp_path, "shell") == (4, "a typo")


def test_hostile_blocks_are_not_judged(tmp_path: Path) -> None:
    assert _kind("a=(" * 30_000, tmp_path) is None
    assert _kind("a=(" * 1_000, tmp_path) is None
