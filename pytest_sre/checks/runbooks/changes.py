"""Commands that change something, and what shows whether that helped."""

from __future__ import annotations

import re

from pytest_sre.checks.runbooks.danger import danger

_SAFE = re.compile(r"--dry-run\b|^\s*(?:echo|printf|man|grep|#)\b|\s(?:--help|-h)$")
_CHANGES = re.compile(
    r"\b(?:kubectl|oc|k)\s(?:.*?\s)?(?:apply|create|replace|patch|edit|scale|drain|cordon|uncordon|taint|delete|set|label|annotate"
    r"|rollout\s+(?:restart|undo|pause|resume))\s"
    r"|\b(?:systemctl|rc-service)\s+(?:-\S+\s+)*(?:re)?(?:start|load|stop)\b|\bservice\s+\S+\s+(?:re)?(?:start|load|stop)\b"
    r"|\bhelm\s(?:.*?\s)?(?:upgrade|install|rollback|uninstall)\b|\bflux\s+(?:suspend|resume|reconcile)\b|\bargocd\s+app\s+(?:sync|rollback)\b"
    r"|\b(?:terraform|tofu|terragrunt)\s+apply\b|\bdocker(?:\s+|-)(?:compose\s+)?(?:restart|stop|start|kill|rm|up|down)\b"
    r"|^\s*(?:sudo\s+)?(?:kill|pkill|killall|reboot|swapoff|swapon|resize2fs|xfs_growfs|lvextend|truncate)\s"
    r"|^\s*(?:sudo\s+)?sysctl\s+-w\b|\bcurl\s.*-X\s*[\"']?(?:POST|PUT|PATCH|DELETE)\b"
    r"|\b(?:aws|gcloud|az)\s.*\b(?:update|reboot|resize|modify|start|stop|set)-?\w*\b"
    r"|\b(?:UPDATE\s+\S+\s+SET|ALTER\s+\w+|INSERT\s+INTO|REINDEX|VACUUM\s+FULL|pg_terminate_backend)\b"
)
_LOOKS = re.compile(
    r"\b(?:kubectl|oc|k)\s(?:.*?\s)?(?:get|describe|logs|top|wait|events|rollout\s+(?:status|history))\b"
    r"|\bsystemctl\s+(?:-\S+\s+)*(?:status|is-active|list-\S+)\b|\bservice\s+\S+\s+status\b|\bhelm\s(?:.*?\s)?(?:status|list|history)\b"
    r"|^\s*(?:sudo\s+)?(?:df|du|top|htop|ps|ss|netstat|journalctl|tail|dig|nslookup|ping|free|uptime|vmstat|iostat|lsblk|promtool|amtool"
    r"|watch|cat|ls|nc)\b|\bcurl\b(?!.*-X\s*[\"']?(?:POST|PUT|PATCH|DELETE)\b)|\bdocker\s+(?:ps|logs|stats|inspect)\b"
    r"|\b(?:status|health|describe|list|show|verify|check)\b|\bSELECT\b"
)
_SAYS = re.compile(
    r"\b(?:verif\w+|check\w*|confirm\w*|ensure|make sure|wait (?:for|until)|should (?!(?:contact|not|only)\b)\w+"
    r"|monitor\w*|observe|watch|expect\w*|validat\w+|see (?:if|that|whether)|test (?:if|that|whether)|look at|until|resolved|recovers?|goes down"
    r"|disappears?|no longer|clears)\b",
    re.I,
)
LONGEST = 500


def changes(command: str) -> bool:
    """Whether a command changes something that runs."""
    command = command[:LONGEST]
    return not _SAFE.search(command) and bool(_CHANGES.search(command) or danger(command))


def looks(command: str) -> bool:
    """Whether a command shows how things are."""
    return bool(_LOOKS.search(command[:LONGEST]))


def says_to_look(text: str) -> bool:
    """Whether a text says to check something, or what should be seen."""
    return bool(_SAYS.search(text[:LONGEST]))
