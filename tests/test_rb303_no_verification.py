"""RB303: a look after each change."""

from __future__ import annotations

import time

import pytest
from runbook_pages import agree, hits

from pytest_sre.checks.runbooks import rb303_no_verification
from pytest_sre.checks.runbooks.changes import changes, looks

PAGE = "# DiskFull\n\n## Mitigation\n\nDo:\n\n```bash\nkubectl -n x scale deploy y --replicas=3\n```\n\n"


def test_the_page_of_the_check_is_true() -> None:
    agree(rb303_no_verification)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl -n shop rollout restart deploy/x",
        "oc patch pvc x -p y",
        "kubectl delete pod x",
        "sudo systemctl restart nginx",
        "service nginx stop",
        "helm -n x rollback shop 3",
        "terraform apply -auto-approve",
        "docker restart x",
        "kill -9 12",
        "curl -s -XPOST localhost/-/reload",
        "UPDATE jobs SET done = true",
        "rm -rf /data",
    ],
)
def test_changes(command: str) -> None:
    assert changes(command)
    assert not looks(command)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods",
        "systemctl status nginx",
        "helm status x",
        "df -h",
        "curl localhost/health",
        "journalctl -u x",
    ],
)
def test_looks(command: str) -> None:
    assert looks(command)
    assert not changes(command)


@pytest.mark.parametrize(
    "behind",
    [
        "Check the pods.",
        "`kubectl get pods`",
        "```promql\nrate(errors_total[5m]) > 0\n```",
        "The alert clears within 5 minutes.",
        "### Afterwards\n\nWait until it is up.",
        "## Prevention\n\nBuy disks.\n\n## Verification\n\nAll is green.",
    ],
)
def test_a_check_behind_the_change_is_enough(behind: str) -> None:
    assert hits(rb303_no_verification, PAGE + behind + "\n") == []


@pytest.mark.parametrize("behind", ["", "Buy disks.", "## Prevention\n\nCheck the disks daily."])
def test_a_change_without_a_check_is_told_at_its_line(behind: str) -> None:
    (hit,) = hits(rb303_no_verification, PAGE + behind + "\n")
    assert hit.line == 8
    assert "scale" in hit.seen


def test_a_page_without_changes_is_fine_and_each_section_is_asked() -> None:
    assert hits(rb303_no_verification, "# A\n\n```bash\nkubectl get pods\n```\n") == []
    assert len(hits(rb303_no_verification, PAGE + PAGE.partition("\n\n")[2])) == 2


def test_hostile_commands_take_bounded_time() -> None:
    start = time.monotonic()
    for text in ("k " * 50_000, "kubectl " * 20_000, "curl " * 20_000, "aws a " * 20_000):
        hits(rb303_no_verification, f"# A\n\n```bash\n{text}\n```\n")
    assert time.monotonic() - start < 60
