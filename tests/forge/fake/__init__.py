"""A forge for tests: three APIs and a git server over a real bare repository and a list of pull requests."""
