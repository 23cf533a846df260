"""The agent: makes a host what git says it is. What decides is pure; `apply` alone changes the host."""
