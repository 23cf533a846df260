"""Git repositories: what stands in them at a commit, and proposals made on a branch of their own."""
