"""The ways to the machine: run a program, write a file, hold a lock, know the places and the time."""
