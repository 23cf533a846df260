"""The update bot: what is newer in the archives, what that changes and where, and the branch that proposes it."""
