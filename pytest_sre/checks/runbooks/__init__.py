"""All checks of a runbook page, by id; what is asked of an alert's link is in checks/runbook.py."""

from __future__ import annotations

from types import ModuleType

from pytest_sre.checks.runbooks import (
    rb004_orphan,
    rb101_no_executable_step,
    rb102_todo,
    rb103_empty_section,
    rb104_missing_section,
    rb105_name_mismatch,
    rb106_link_dead,
    rb201_shell_syntax,
    rb202_query_in_shell_fence,
    rb203_irreversible_uncautioned,
    rb204_undefined_variable,
    rb205_unexplained_placeholder,
    rb206_author_path,
    rb301_stale,
    rb302_no_escalation,
    rb303_no_verification,
    rb304_front_matter,
)

PAGE_CHECKS: tuple[ModuleType, ...] = (
    rb004_orphan,
    rb101_no_executable_step,
    rb102_todo,
    rb103_empty_section,
    rb104_missing_section,
    rb105_name_mismatch,
    rb106_link_dead,
    rb201_shell_syntax,
    rb202_query_in_shell_fence,
    rb203_irreversible_uncautioned,
    rb204_undefined_variable,
    rb205_unexplained_placeholder,
    rb206_author_path,
    rb301_stale,
    rb302_no_escalation,
    rb303_no_verification,
    rb304_front_matter,
)
