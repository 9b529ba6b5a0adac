"""Shell as people write it in runbooks: prompts, placeholders, wrappers such as sudo, and known commands."""

from __future__ import annotations

import re

MAX_LINE = 2000
"""Characters; nobody types longer ones, and some patterns cost their square."""


def words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


SHELL = words("bash sh shell zsh ksh fish console terminal shell-session sh-session shellsession cmd")
POWERSHELL = words("powershell ps1 pwsh")
_COMMANDS = words(
    """
    amtool ansible ansible-playbook apt apt-get argocd at awk aws az base64 bash bconsole blkid brew
    bundle calicoctl cat ceph certbot cfssl chef-client chmod chown chronyc chroot cilium cockroach consul
    cp crictl crm ctr curl cypher-shell date dd df dig dmesg dnf docker docker-compose doctl du e2fsck
    ebtables echo elasticsearch emctl esxcli etcdctl ethtool exec export fdisk find firewall-cmd flux free
    fsck gcloud gh git gitlab-ctl gitlab-psql gitlab-rails glab gpg grep grpcurl gsutil gunzip haproxy
    head helm helmfile heroku host hostname htop hubble ifconfig iftop influx influxd iostat iotop ip
    ipmitool iptables ipvsadm istioctl jobs journalctl jq jstack k3s k6 k9s kadmin kafka-acls
    kafka-configs kafka-consumer-groups kafka-topics kill killall kinit knife kubeadm kubectl kubectl-cnpg
    kubectl-hlf kubectx kubens kustomize last ldapsearch less linkerd ln logcli logger logstash ls lsblk
    lscpu lsof lspci lvdisplay lvextend lvs make mc mdadm megacli mimirtool minio mkdir mkfs mongo mongosh
    mount mpstat mtr mv mysql mysqladmin mysqldump nc ncat ncdu nerdctl netstat nfsstat nft nginx nmap
    nmcli nodetool nohup nomad nslookup ntpq numactl nvidia-smi nvme oc odo opensearch openssl opm osdctl
    ovn-nbctl ovn-sbctl ovs-appctl ovs-ofctl ovs-vsctl parted patronictl pcs perf pg_ctl pg_dump
    pg_restore pgbench pgbouncer pgrep pidstat ping ping6 pip pkill pmap podman poetry promtool ps psql
    pt-kill pulumi puppet pvs python python3 rabbitmq-diagnostics rabbitmqctl rados rails rake rbd
    redis-cli repmgr resize2fs rm rmdir roachprod rosa route rpm rsync ruby run runuser sar scp screen sed
    sensors service sh skopeo smartctl snap snmpwalk sort source split sqlcmd ss ssh ssh-keygen stat stern
    storcli strace su subctl sudo supervisorctl swapoff swapon sysctl systemctl systemd-analyze tail tar
    tcpdump tee telnet terraform terragrunt thanos tkn tmux top touch tower-cli traceroute tridentctl
    trivy tsh tshark tune2fs udevadm ufw ulimit umount uname unzip uptime vault velero vgdisplay vgs virsh
    virtctl vmstat w watch wget which xargs xfs_growfs xfs_info xfs_repair yq yum zcat zdb zfs zgrep
    zookeepercli zpool zypper
    """
)
# Of those, the ones that also begin an English sentence: alone they prove nothing.
ENGLISH = words(
    """
    at cat date exec export find free head host hostname jobs kill last less make mount perf ping route
    run screen service sort source split stat stern strace su tail thanos time top touch tower vault w
    watch which
    """
)

PROMPT = re.compile(
    r"\s*(?:\[[^\]\n]{1,60}\]\s?[$#%]|[\w.-]{1,40}@[\w.-]{1,60}[^\s$#>]*\s*[$#%>]|(?:ba|z|k)?sh-[\d.]+[$#]"
    r"|\([\w.-]+\)\s*[$#]"
    r"|PS [A-Z]:[^>\n]*>|[$%➜❯])[ \t]+(?=\S)"
)
ROOT_PROMPT = re.compile(r"\s*#[ \t]+(?=\S)")
_ASSIGNMENT = re.compile(
    r"(?:(?:export\s+|local\s+)?[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|\$\([^)]*\)|[^\s;&|]*)(?:\s+|$))+"
)
_WRAPPER = re.compile(
    r"(?:sudo|time|nohup|env|exec|command|watch|then|do|if|while|!)\s+"
    r"(?:-{1,2}(?![ug]\s)\w[\w-]*(?:[ =]\d+\S*)?\s+|-[ug]\s+\S+\s+)*(?=\S)"
)
_OPENING = re.compile(r"[({ ]*")
PLACEHOLDER = re.compile(r"<(?!<)[A-Za-z_$][^<>\n;|&]{0,60}>|\{\{[^{}\n]*\}\}|<%[^%\n]*%>")


def normalise(text: str) -> str:
    """Placeholders such as ``<pod>`` and ``{{ $labels.pod }}`` become a plain word."""
    return PLACEHOLDER.sub("PLACEHOLDER", text)


def unprompted(line: str) -> str:
    """A line without the prompt of its shell (that of root, ``#``, is left: it may be a comment)."""
    return _after(PROMPT, line)


def unrooted(line: str) -> str:
    """A line without root's prompt, ``#``."""
    return _after(ROOT_PROMPT, line)


def _after(pattern: re.Pattern[str], line: str) -> str:
    found = pattern.match(line)
    return line[found.end() :] if found else line


def bare(command: str) -> str:
    """A command without assignments, ``sudo`` and the like in front."""
    at, before = 0, -1
    while at != before:
        before = at
        for part in (_OPENING, _ASSIGNMENT, _WRAPPER):
            found = part.match(command, at)
            at = found.end() if found else at
    return command[at:]


def is_known(command: str, *, sure: bool = False) -> bool:
    """Whether a text starts with a known command; ``sure``: it stands where English is unlikely."""
    parts = command.split()
    name = parts[0].rsplit("/", 1)[-1] if parts else ""
    if name not in _COMMANDS and not re.match(r"(?:\./|for\s+\w+\s+in\s)", command):
        return False
    return sure or name not in ENGLISH or bool(len(parts) > 1 and re.match(r"[-/$~\"'.]|.*[/.:]\w", parts[1]))


def is_command_name(name: str) -> bool:
    """Whether a word is a known command: ``$oc`` is a prompt without a space."""
    return name in _COMMANDS
