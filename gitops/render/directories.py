"""The directories below `rendered/hosts/HOST`; apart, for who asks often and renders nothing."""

CRON = "cron.d"
SYSTEMD = "systemd"
JOBS = "jobs"
