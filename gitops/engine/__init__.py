"""The container engine: what a container is to be, and the one way to make it so."""
