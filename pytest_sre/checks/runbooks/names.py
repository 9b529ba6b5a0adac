"""Which names a reader of a page knows: those that it sets or explains, well-known ones, the alert's labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pytest_sre.checks.runbooks.scripts import is_shell
from pytest_sre.checks.runbooks.shell import words
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook import Runbook

_ENVIRONMENT = words(
    """
    BROWSER COLUMNS DISPLAY EDITOR EUID GID GOPATH GROUPS HISTFILE HOME HOST HOSTNAME HOSTTYPE IFS JAVA_HOME
    KUBECONFIG LANG LINES LOGNAME MACHTYPE MAIL OLDPWD OPTARG OPTIND OSTYPE PAGER PATH PIPESTATUS PPID PS1 PWD PYTHONPATH RANDOM
    REPLY SECONDS SHELL SHLVL TERM TMPDIR TZ UID USER USERNAME VISUAL VIRTUAL_ENV EPOCHSECONDS FUNCNAME LINENO
    DATABASE_URL VAULT_ADDR VAULT_TOKEN NOMAD_ADDR CONSUL_HTTP_ADDR
    labels value externalLabels
    """
)
_FAMILIES = re.compile(
    r"(?:AWS|AZURE|ARM|GOOGLE|CLOUDSDK|GITHUB|GITLAB|CI|BASH|LC|XDG|SSH|SUDO|KUBE|TF_VAR|DOCKER|PG|ETCDCTL|_)_?\w*"
)
_SET = re.compile(
    r"(?:^|[\s;&|(`])(?:\$env:)?([A-Za-z_]\w*)(?:\[[^\]\n]{0,60}\])?\+?=(?!=)"
    r"|\b(?:for|select|getopts\s+\S+|printf\s+-v)\s+([A-Za-z_]\w*)",
    re.M,
)
_SET_MANY = re.compile(r"\b(?:read|mapfile|readarray|export|declare|local|typeset|readonly)((?:\s+[-\w=]+)+)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_COMMAND = re.compile(r"`[^`\s]*\s[^`\n]*`")
_COMMENT = re.compile(r"(?:^|\s)(?:#|//)\s*(.*)", re.M)
_LABEL = re.compile(r"(?<!\w)(\w+)\s*(?:=~|!~|!=|=)\s*[\"'`]|\$labels\.(\w+)|\.Labels\.(\w+)")
_GROUPED = re.compile(r"\b(?:by|on|group_left|group_right)\s*\(([^()]*)\)")


def is_environment(name: str) -> bool:
    """Whether a variable is set before anybody types anything."""
    return name in _ENVIRONMENT or bool(_FAMILIES.fullmatch(name))


def set_on(runbook: Runbook) -> frozenset[str]:
    """All variables that some block, or code within a line, sets."""
    texts = [block.content for block in runbook.blocks] + [code.text for code in runbook.code]
    found: set[str] = set()
    for text in texts:
        for match in _SET.finditer(text):
            found.add(match[1] or match[2])
        for match in _SET_MANY.finditer(text):
            found.update(_WORD.findall(match[1]))
    return frozenset(found)


def spoken_of(runbook: Runbook) -> frozenset[str]:
    """All words of the prose, of comments in blocks and of blocks that are not shell; commands are no explanation."""
    found: set[str] = set()
    for text in runbook.texts:
        found.update(_WORD.findall(_COMMAND.sub(" ", text.source)))
    for block in runbook.blocks:
        if is_shell(block):
            for match in _COMMENT.finditer(block.content):
                found.update(_WORD.findall(match[1]))
        elif block.language in ("yaml", "yml", "json", "hcl", "env", "ini"):
            found.update(_WORD.findall(block.content))
    return frozenset(found)


def labels_of(alerts: Iterable[Rule]) -> frozenset[str]:
    """The labels that alerts may have, in small letters, as far as rules tell."""
    return frozenset(name.lower() for alert in alerts for name in _labels(alert))


def _labels(alert: Rule) -> Iterator[str]:
    yield from ("alertname", *alert.labels)
    for text in (alert.expr, *alert.labels.values(), *alert.annotations.values()):
        for match in _LABEL.finditer(text):
            yield match[1] or match[2] or match[3]
        for match in _GROUPED.finditer(text):
            yield from _WORD.findall(match[1])


def is_label(name: str, labels: frozenset[str]) -> bool:
    """Whether a name means a label: ``NODE``, ``node-name`` and ``nodeName`` all mean ``node``."""
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()).strip("_")
    return bool({plain, plain.removesuffix("_name"), plain.removesuffix("_label")} & labels)
