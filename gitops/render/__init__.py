"""The definitions, written out as what other programs read: Dockerfiles, cron manifests, CI pipelines."""
