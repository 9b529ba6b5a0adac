"""Commands that cannot be undone: they delete what holds data, or skip the checks that would stop them."""

from __future__ import annotations

import re

from pytest_sre.checks.runbooks.shell import MAX_LINE, words

# What loses data, access or everything below it; a pod comes back, so does a deployment from its manifest.
_KINDS = words(
    """
    all pv pvs persistentvolume persistentvolumes pvc pvcs persistentvolumeclaim persistentvolumeclaims
    volumesnapshot volumesnapshots volumesnapshotcontent volumesnapshotcontents datavolume datavolumes dv
    ns namespace namespaces project projects crd crds customresourcedefinition customresourcedefinitions
    node nodes machine machines secret secrets vm vms virtualmachine virtualmachines
    objectbucketclaim objectbucketclaims obc kafkatopic kafkatopics cephblockpool cephcluster storagecluster
    etcd postgresql postgrescluster
    """
)
_VALUED = words(
    "-n -l -c --namespace --selector --context --field-selector --kubeconfig --cluster --timeout --as"
)
_KUBECTL = re.compile(r"\b(?:kubectl|oc|k)\s(?:.*?\s)?delete\s+(?P<rest>[^|;&]*)")
_FINALIZERS = re.compile(r"\bpatch\b.*finalizers[\"']?\s*:\s*(?:null|\[\s*\])|\bpatch\b.*remove.*/finalizers")
# Nearly all commands have none of these words, and need not be looked at more closely.
_HINT = re.compile(
    r"\b(?:rm|rb|del|dd)\b|delet|force|drop|destroy|finalizers|mkfs|wipefs|blkdiscard|shred|zap|remove|reset|purge|prune|lost"
    r"|terminate|truncate|flush|userdel|decommission|assassinate|push",
    re.I,
)
_SAFE = re.compile(
    r"--dry-run\b|--dryrun\b|^\s*(?:echo|printf|man|grep|#)\b|\b(?:delete|destroy)\s+(?:--help|-h)\b"
)
_FORCE = re.compile(r"\s--force(?:=true)?(?=\s|$)")
# With these programs --force overwrites a file or repeats what was done.
_FORCE_IS_FINE = re.compile(
    r"^(?:sudo\s+)?(?:ln|cp|mv|gzip|gunzip|logrotate|certbot|brew|pip3?|snap|flux|make|npm|puppet|unzip|tar)\b"
    r"|\bgit\s+(?:fetch|pull|submodule|add)\b|\b(?:update-ca|reconcile|refresh|sync-status)\b"
)
_RM = re.compile(
    r"(?:^|[\s;&|(\"'])rm\s+(?:-[a-zA-Z]+\s+|--[\w-]+\s+)*(?:-[a-zA-Z]*[rR][a-zA-Z]*|--recursive)\s+(?P<what>\S+)"
)
_TEMPORARY = re.compile(r"[\"']?(?:/var)?/tmp/\w")
_SQL = re.compile(
    r"\bDROP\s+(?:TABLE|DATABASE|SCHEMA|KEYSPACE|COLUMN|PARTITION|OWNED|TABLESPACE|USER|ROLE|MATERIALIZED|VIEW)\b"
    r"|\bTRUNCATE\s+(?:TABLE\s+)?[\w\"`]|\bDELETE\s+FROM\s+[\w\"`]|\bpg_drop_replication_slot\b"
    r"|\.drop(?:Database)?\(\)|\bFLUSH(?:ALL|DB)\b",
    re.I,
)
_PROGRAMS = re.compile(
    r"\b(?:"
    r"(?:terraform|tofu|terragrunt|pulumi|vagrant|cdk|zfs|zpool|linode-cli|doctl|vault)\s(?:\S+\s+){0,4}?destroy"
    r"|mkfs(?:\.\w+)?\s|wipefs\s|blkdiscard\s|shred\s|sgdisk\s+.*--zap|dd\s.*\bof=/dev/(?!null)"
    r"|(?:lv|vg|pv)remove\s|dropdb\s|userdel\s+-r|kubeadm\s+reset"
    r"|ceph\s+osd\s+(?:purge|destroy|lost|rm)\b|ceph\s+osd\s+pool\s+(?:rm|delete)\b|ceph\s+fs\s+(?:rm|volume\s+rm)\b"
    r"|rbd\s+(?:rm|remove|snap\s+(?:rm|purge))\b|rados\s+(?:rm|purge|rmpool)\b|odf\s+\S+\s+delete"
    r"|aws\s+\S+\s+(?:delete-(?!message)|terminate-|rb\b)\S*|(?:aws\s+s3|gsutil|mc)\s+(?:-m\s+)?rm\s+.*(?:-r\b|--recursive)"
    r"|(?:gcloud|az|doctl|openstack|eksctl)\s(?:\S+\s+){1,4}?delete\b"
    r"|docker\s+volume\s+(?:rm|prune)|docker\s+system\s+prune\b.*--volumes"
    r"|etcdctl\s(?:.*\s)?(?:del|member\s+remove)\s|kafka-topics(?:\.sh)?\s.*--delete\b"
    r"|rabbitmqctl\s+(?:delete_queue|purge_queue|reset|force_reset|delete_vhost)"
    r"|nodetool\s+(?:decommission|removenode|assassinate)|velero\s+(?:backup|restore)\s+delete"
    r"|git\s+push\s+(?:.*\s)?(?:-f|--force)(?:\s|$)"
    r"|curl\s.*-X\s*[\"']?DELETE\b(?!.*silence)"
    r")",
)


def danger(command: str) -> str:
    """What in a command cannot be undone, empty where there is nothing; pods and scaling do not count."""
    command = command[:MAX_LINE]
    if not _HINT.search(command) or _SAFE.search(command):
        return ""
    for found in _KUBECTL.finditer(command):
        kinds = _kinds(found["rest"])
        if kinds:
            return f"deletes {kinds}"
    if _FINALIZERS.search(command):
        return "removes finalizers"
    rm = _RM.search(command)
    if rm and not _TEMPORARY.match(rm["what"]):
        return "rm -r"
    for pattern in (_SQL, _PROGRAMS):
        match = pattern.search(command)
        if match:
            return " ".join(match[0].split())[:40]
    if _FORCE.search(command) and not _FORCE_IS_FINE.search(command):
        return "--force"
    return ""


def _kinds(arguments: str) -> str:
    """The kinds named behind ``delete`` that hold data, for a message."""
    parts = iter(arguments.split())
    for part in parts:
        if part in _VALUED:
            next(parts, "")
        elif not part.startswith("-"):
            named = (one.split("/")[0].split(".")[0] for one in part.strip("\"'").lower().split(","))
            return ", ".join(one for one in named if one in _KINDS)
    return ""
