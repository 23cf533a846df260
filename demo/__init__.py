"""The whole story, played with the product's own verbs on two real WordPress sites: `make demo`."""
