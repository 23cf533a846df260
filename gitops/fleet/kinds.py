"""Of what somebody may hear; apart from the rules about it, so that nothing else is loaded for a word."""

from enum import StrEnum


class Kind(StrEnum):
    """What somebody may hear of."""

    UPDATE = "update"
    SECURITY_UPDATE = "security-update"
    ROLLOUT_FAILED = "rollout-failed"
    ROLLED_BACK = "rolled-back"
    BACKUP_LATE = "backup-late"
    DRILL_FAILED = "drill-failed"
    JOB_FAILING = "job-failing"
    JOB_LATE = "job-late"
    AGENT_FAILING = "agent-failing"
    AGENT_SILENT = "agent-silent"
    IMAGE_REFUSED = "image-refused"
