"""What keeps a repository deployable: git's hooks, on the machine of who commits and on the server."""
