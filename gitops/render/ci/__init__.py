"""The CI systems: a module each with `FILES` and `render`; the registry is in gitops/render/pipelines.py."""
