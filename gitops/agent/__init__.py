"""The agent: a host that follows git, from a commit that came to one that runs, and how it stands."""
