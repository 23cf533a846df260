"""The update bot: what the archives have newer, what that changes and where, and how it is proposed."""
