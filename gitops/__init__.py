"""gitops: one git repository in; Debian-only images, pipelines, deployments, backups and cron out."""

__version__ = "0.1.0"
