"""A host made what its definitions say: what decides is pure; `apply` alone changes what runs."""
