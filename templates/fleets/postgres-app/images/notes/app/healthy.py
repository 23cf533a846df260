"""Succeed while the application answers; run in its container as the healthcheck."""

from urllib.request import urlopen

urlopen("http://127.0.0.1:8000/healthy", timeout=4).read()
