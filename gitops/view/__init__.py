"""One view of how a fleet stands: the page, the metrics, the alerts and `gitops status` are made from it."""
