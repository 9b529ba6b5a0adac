"""Do commands work elsewhere than on their author's computer?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.shell import words

ID = "RB206"

_HOME = re.compile(
    r"(?<![\w./-])(?:/Users/|/home/|[A-Z]:\\Users\\)(?P<who>[A-Za-z][\w.-]*)(?=$|[/\\\s\"'`:;,)])"
)
# Accounts that machines and images have, and names that stand for any.
_SHARED = words(
    """
    admin administrator alpine airflow ansible app appuser azureuser backup bitnami build builder centos ci circleci cloud cloud-user core
    coder concourse container debian default deploy deployer deployment developer docker ec2-user elastic elasticsearch
    etcd fedora ftp git gitlab gitlab-runner gitpod grafana hadoop http httpd influxdb jboss jenkins jovyan kafka kube kubernetes
    linuxbrew local me mongodb mysql nginx nobody node node-exporter nonroot opc openshift opensearch operator oracle
    ops outscale packer pi postgres postgresql prometheus public rails redis rocky root ruby runner runneradmin service share shared
    solr spark splunk sre ssh-user steam support svc sysadmin teamcity teleport terraform test tomcat travis ubuntu user username users
    vagrant vault vscode web webapp worker www www-data you your your-user your-username yourname youruser zookeeper
    someone somebody username_here
    """
) - words("me")
_ANY = re.compile(
    r"(?:my|your|some)[-_.]?\w*|[\w-]*(?:user|svc|service|runner|deploy|admin|bot|agent)\d*|x+|foo|bar", re.I
)


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each line in a block, or code in a text."""
    for line, text in _code(case):
        for found in _HOME.finditer(text) if "/" in text or "\\" in text else ():
            who = found["who"]
            if who.lower() not in _SHARED and not _ANY.fullmatch(who):
                yield Hit(
                    line,
                    f"{found[0]} is somebody's own folder",
                    "write ~ or a path that everybody has",
                    seen=text.strip()[:120],
                )
                break


def _code(case: PageCase) -> Iterator[tuple[int, str]]:
    for block in case.page.runbook.blocks:
        if "/Users/" in block.content or "/home/" in block.content or "\\Users\\" in block.content:
            yield from enumerate(block.content.splitlines(), block.first_line)
    for code in case.page.runbook.code:
        yield code.line, code.text
