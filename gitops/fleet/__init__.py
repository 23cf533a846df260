"""The definitions: what a fleet's files may say, reading them, and telling exactly what is wrong in them."""
