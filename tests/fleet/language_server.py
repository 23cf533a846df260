"""yaml-language-server as an editor drives it: the Language Server Protocol over standard input and output.

Format: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = (
    Path(__file__).parents[2] / ".make/editor/node_modules/yaml-language-server/bin/yaml-language-server"
)


class Editor:
    """An editor with a fleet open."""

    def __init__(self, process: "subprocess.Popen[bytes]", root: Path) -> None:
        self._process, self.root = process, root
        self._number = 0
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}
        self.ask("initialize", processId=None, rootUri=root.as_uri(), capabilities={})
        self._send({"method": "initialized", "params": {}})

    def open(self, path: str, text: str) -> list[str]:
        """Open a file with this text and give what the editor underlines, as messages."""
        self._diagnostics.pop(self._uri(path), None)
        document = {"uri": self._uri(path), "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while self._uri(path) not in self._diagnostics:
            self._receive()
        return [each["message"] for each in self._diagnostics[self._uri(path)]]

    def completions(self, path: str, line: int, column: int) -> dict[str, str]:
        """Give the words offered at a place, counted from 0, each with what is said about it."""
        items = self.ask("textDocument/completion", **self._at(path, line, column))["items"]
        return {each["label"]: _text(each.get("documentation", "")) for each in items}

    def hover(self, path: str, line: int, column: int) -> str:
        """Give what is shown when the pointer rests at a place."""
        answer = self.ask("textDocument/hover", **self._at(path, line, column))
        return _text(answer["contents"]) if answer else ""

    def ask(self, method: str, **params: object) -> Any:  # noqa: ANN401 - each method has its own answer
        """Send a request and wait for its answer."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _at(self, path: str, line: int, column: int) -> dict[str, object]:
        return {
            "textDocument": {"uri": self._uri(path)},
            "position": {"line": line, "character": column},
        }

    def _uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def _send(self, message: dict[str, object]) -> None:
        assert self._process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        """Read one message; answer it if the server asks for something, remember it if it underlines."""
        assert self._process.stdout
        length = 0
        while (line := self._process.stdout.readline().strip()) or not length:
            assert line, "the language server has ended"
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            items = message.get("params", {}).get("items")  # it asks for settings; there are none
            self._send({"id": message["id"], "result": None if items is None else [None] * len(items)})
        return message


@contextmanager
def editor(root: Path) -> Iterator[Editor]:
    """Start the server beside a fleet; it ends with the block."""
    with subprocess.Popen(
        ["node", PROGRAM, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield Editor(process, root)
        finally:
            process.kill()


def _text(content: Any) -> str:  # noqa: ANN401 - a text, or one with its kind beside it
    return str(content["value"] if isinstance(content, dict) else content)
