"""`python -m gitops` is `gitops`."""

from gitops.cli.main import main

if __name__ == "__main__":
    main()
