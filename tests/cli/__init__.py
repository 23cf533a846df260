"""The verbs, as a user types them."""
