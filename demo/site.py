"""One WordPress site, used as its owner would: over HTTP."""

import hashlib
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client
from dataclasses import dataclass

from demo.stage import prove

PASSWORD = hashlib.sha256(os.urandom(32)).hexdigest()
PICTURE = b"\x89PNG\r\n\x1a\n" + os.urandom(4096)


@dataclass
class Site:
    """A site, where it listens on loopback, and what was published there."""

    name: str
    port: int
    post: int = 0
    upload: str = ""

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, form: dict[str, str] | None = None) -> bytes:
        """Fetch a page, or send a form; raises what HTTP says."""
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(f"{self.address}{path}", data, timeout=120) as answer:
            content: bytes = answer.read()
        return content

    def install(self) -> None:
        """Fill in WordPress's own installer."""
        form = {
            "weblog_title": f"The blog of {self.name}",
            "user_name": "admin",
            "admin_password": PASSWORD,
            "admin_password2": PASSWORD,
            "admin_email": f"{self.name}@example.org",
            "Submit": "Install WordPress",
        }
        page = self.get("/wp-admin/install.php?step=2", form).decode()
        words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        prove("Success!" in words, f"WordPress's installer did not say Success on {self.name}: {words[:300]}")

    def publish(self) -> None:
        """Publish a post and upload a picture, through WordPress's XML-RPC interface."""
        wordpress = xmlrpc.client.ServerProxy(f"{self.address}/xmlrpc.php")
        post = {
            "post_title": f"Hello from {self.name}",
            "post_content": "Written in the demo.",
            "post_status": "publish",
        }
        self.post = int(str(wordpress.wp.newPost(1, "admin", PASSWORD, post)))
        picture = {"name": "picture.png", "type": "image/png", "bits": xmlrpc.client.Binary(PICTURE)}
        answer = wordpress.wp.uploadFile(1, "admin", PASSWORD, picture)
        prove(isinstance(answer, dict), f"the upload to {self.name} was answered with {answer!r}")
        self.upload = urllib.parse.urlsplit(str(answer["url"] if isinstance(answer, dict) else "")).path

    def has_all(self) -> bool:
        """Tell whether the post can be read and the upload is the very same bytes."""
        try:
            page = self.get(f"/?p={self.post}")
            return f"Hello from {self.name}".encode() in page and self.get(self.upload) == PICTURE
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
