"""Forges: pull requests on GitHub, GitLab, Forgejo and Gitea, through one small shared interface."""
