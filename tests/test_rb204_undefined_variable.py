"""RB204: variables of commands come from somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from runbook_pages import agree, hits_in

from pytest_sre.checks.runbooks import rb204_undefined_variable as check
from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule


def test_the_page_of_the_check_is_true() -> None:
    agree(check, most=1)


def _names(content: str, tmp_path: Path, *alerts: Rule) -> list[tuple[int, str]]:
    hits = hits_in(check, f"# Title\n\n{content}\n", tmp_path, *alerts)
    return [(hit.line, hit.message.split()[0].lstrip("$")) for hit in hits]


def _block(*lines: str, language: str = "bash") -> str:
    return "\n".join((f"```{language}", *lines, "```"))


def test_each_variable_is_told_once_where_it_is_first_read(tmp_path: Path) -> None:
    page = _block("echo ok", "oc get $A -n ${B}", "oc get $A") + "\n\n" + _block('oc logs "$(oc get $C)"')

    assert _names(page, tmp_path) == [(5, "A"), (5, "B"), (10, "C")]


@pytest.mark.parametrize(
    "lines",
    [
        ["X=1", "echo $X"],
        ["export X=$(date)", "echo $X"],
        ["for X in a b; do echo $X; done"],
        ["oc get pods | while read -r Y X; do echo $X $Y; done"],
        ["mapfile -t X < f", 'echo "${X[@]}"'],
        ["printf -v X %s a", "echo $X"],
        ["echo $X # X is the pod"],
        ["echo ${X:-a} ${X:?set it}"],
        ["echo '$X' \\$X \"\\$X\""],
        ["awk '{print $X}' f"],
        ["cat <<'EOF'", "$X", "EOF"],
        ["echo $HOME $KUBECONFIG $AWS_PROFILE $1 $? $$ $@ $_"],
        ["source env.sh", "echo $X"],
        [". ./env.sh; echo $X"],
        ['eval "$(tool env)"', "echo $X"],
        ["kubectl exec -it db-0 -- bash", "psql -U $X"],
        ["$ oc rsh db-0", "$ psql -U $X"],
        ["$oc get pods"],
        ["echo {{ $labels.x }} $labels.pod"],
        ["echo 'never closed", "$X"],
    ],
)
def test_what_is_set_explained_or_no_variable_of_this_shell(lines: list[str], tmp_path: Path) -> None:
    assert _names(_block(*lines), tmp_path) == []


@pytest.mark.parametrize(
    "lines",
    [
        ["cat <<EOF", "$X", "EOF"],
        ['echo "a ${X} b"'],
        ["echo ${X%.*}"],
        ["kubectl get pod $X", "kubectl exec -it db-0 -- bash"],
        ["$ oc get pod $X", "pod/$Y"],
        ["curl host?X=$X"],
    ],
)
def test_what_is_not(lines: list[str], tmp_path: Path) -> None:
    assert [name for _, name in _names(_block(*lines), tmp_path)] == ["X"]


def test_prose_explains_and_a_command_in_prose_does_not(tmp_path: Path) -> None:
    assert _names("`POD` is the pod.\n\n" + _block("oc logs $POD"), tmp_path) == []
    assert _names("Set `POD=x`.\n\n" + _block("oc logs $POD"), tmp_path) == []
    assert _names("Run `oc get $POD` first.\n\n" + _block("oc logs $POD"), tmp_path) == [(6, "POD")]


def test_other_languages_are_not_shell(tmp_path: Path) -> None:
    for language in ("promql", "powershell", "fish", "yaml"):
        assert _names(_block("echo $X", language=language), tmp_path) == []


def test_labels_of_the_alert_are_known(tmp_path: Path) -> None:
    alert = Rule(
        "alert",
        "Crash",
        'sum by (namespace, pod) (kube_pod_container_status_restarts_total{job="ksm"}) > 3',
        Location("r.yml", 1),
        1,
        "g",
        0,
        labels={"severity": "page"},
        annotations={"summary": "{{ $labels.container }}"},
    )
    page = _block("oc -n $NAMESPACE logs $POD_NAME -c $container $severity $NODE")

    assert [name for _, name in _names(page, tmp_path, alert)] == ["NODE"]
    assert len(_names(page, tmp_path)) == 5
