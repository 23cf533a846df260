"""git over http, by git's own CGI program; https://git-scm.com/docs/git-http-backend, RFC 3875."""

import os
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit


def serve(handler: BaseHTTPRequestHandler, root: Path, body: bytes) -> None:
    """Answer a request to a repository below `root`; who may ask was looked at before."""
    url = urlsplit(handler.path)
    variables = {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
        "REQUEST_METHOD": handler.command,
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "REMOTE_USER": "bot",
        "REMOTE_ADDR": "127.0.0.1",
    }
    answer = subprocess.run(
        ["git", "http-backend"], input=body, env={**os.environ, **variables}, capture_output=True, check=True
    ).stdout
    head, _, content = answer.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    handler.send_response(int(headers.pop("Status", "200").split()[0]))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
