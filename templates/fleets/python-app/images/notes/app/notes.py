"""A page of notes, as a WSGI application; put your own in its place."""

import os
from contextlib import closing

from flask import Flask, redirect, render_template, request

from database import connect


def application() -> Flask:
    """Make the application; gunicorn calls this once for each worker."""
    app = Flask(__name__)
    title = os.environ.get("TITLE", "Notes")

    @app.get("/")
    def show() -> str:
        with closing(connect()) as database:
            notes = database.execute("SELECT text, written FROM note ORDER BY id DESC LIMIT 50").fetchall()
        return render_template("notes.html", title=title, notes=notes)

    @app.post("/")
    def write() -> object:
        text = request.form.get("text", "").strip()[:2000]
        if text:
            with closing(connect()) as database, database:
                database.execute("INSERT INTO note (text) VALUES (?)", (text,))
        return redirect("/", code=303)

    @app.get("/healthy")
    def healthy() -> str:
        with closing(connect()) as database:
            database.execute("SELECT 1 FROM note LIMIT 1").fetchone()
        return "yes\n"

    return app
