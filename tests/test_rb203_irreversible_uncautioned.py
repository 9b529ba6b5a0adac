"""RB203: what cannot be undone comes with a word of caution."""

from __future__ import annotations

from pathlib import Path

import pytest
from runbook_pages import agree, hits_in

from pytest_sre.checks.runbooks import rb203_irreversible_uncautioned as check
from pytest_sre.checks.runbooks.danger import danger


def test_the_page_of_the_check_is_true() -> None:
    agree(check, most=1)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl delete pvc data-0",
        "oc -n x delete pv/data-0 --wait=false",
        "kubectl delete -n shop pvc data-0",
        "kubectl get pvc -o name | xargs kubectl delete pvc",
        "kubectl delete namespace shop",
        "kubectl delete crd widgets.example.com",
        "kubectl delete customresourcedefinitions.apiextensions.k8s.io widgets.example.com",
        "kubectl delete node worker-1",
        "kubectl delete deployment,secret x",
        "kubectl delete pod x --force --grace-period=0",
        'kubectl patch pvc x -p \'{"metadata":{"finalizers":null}}\'',
        "sudo rm -rf /var/lib/etcd/member",
        "rm -r -f data",
        "rm --recursive data",
        "kubectl exec x -- sh -c 'rm -rf /data/*'",
        "psql -c 'DROP TABLE a'",
        "mysql -e 'delete from t'",
        "terraform destroy -target=module.x",
        "terraform -chdir=prod destroy",
        "zfs destroy tank/data",
        "ceph osd purge 3 --yes-i-really-mean-it",
        "aws rds delete-db-instance --db-instance-identifier x",
        "aws ec2 terminate-instances --instance-ids i-1",
        "aws s3 rm s3://x --recursive",
        "gcloud compute disks delete x",
        "curl -XDELETE localhost:9200/index",
        "redis-cli FLUSHALL",
        "mkfs.ext4 /dev/sdb",
        "dd if=/dev/zero of=/dev/sdb",
        "kafka-topics.sh --bootstrap-server x --delete --topic y",
        "git push --force origin main",
    ],
)
def test_cannot_be_undone(command: str) -> None:
    assert danger(command)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl delete pod x",
        "kubectl delete pods -l app=secret",
        "kubectl -n node delete pod x",
        "kubectl delete pod -n namespace x",
        "kubectl scale deploy x --replicas=0",
        "kubectl delete pvc x --dry-run=client",
        "kubectl get pvc",
        "rm /tmp/x",
        "rm -f file",
        "rm -rf /tmp/dump",
        "docker run --rm -it x",
        "npm run x -- -r",
        "git fetch --force",
        "logrotate --force /etc/logrotate.conf",
        "kubectl apply --force-conflicts",
        "echo rm -rf /",
        "amtool silence expire x",
        "curl -X DELETE localhost:9093/api/v2/silence/1",
        "terraform plan",
        "grep -r destroy .",
    ],
)
def test_can_be_undone(command: str) -> None:
    assert danger(command) == ""


def _page(section: str) -> str:
    return f"# Disk full\n\nIt is full.\n\n## Other\n\nWarning: hot.\n\n## Mitigation\n\n{section}\n"


@pytest.mark.parametrize(
    "caution",
    [
        "**Caution**: data is gone.",
        "> [!CAUTION]\n> Gone.",
        "{{< hint danger >}}Gone.{{< /hint >}}",
        "This cannot be undone.",
        "Take a backup first.",
    ],
)
def test_a_caution_in_the_section_is_enough(caution: str, tmp_path: Path) -> None:
    assert hits_in(check, _page(f"{caution}\n\n```bash\nrm -rf /data\n```"), tmp_path) == []


def test_a_caution_elsewhere_and_a_check_afterwards_are_not(tmp_path: Path) -> None:
    (hit,) = hits_in(check, _page("Run:\n\n```\n$ rm -rf /data\n```\n\nThen verify that it works."), tmp_path)
    assert hit.line == 14
    assert "rm -r" in hit.message


def test_a_comment_in_the_block_is_a_caution(tmp_path: Path) -> None:
    assert hits_in(check, _page("```bash\n# careful\nrm -rf /data\n```"), tmp_path) == []


def test_inline_commands_and_continued_lines_count_and_output_does_not(tmp_path: Path) -> None:
    text = "Run `kubectl delete pvc data-0`.\n\n```console\n$ kubectl delete \\\n  pvc x\nrm -rf /x\n```"
    assert [hit.line for hit in hits_in(check, _page(text), tmp_path)] == [14, 11]
