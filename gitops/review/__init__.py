"""What a change would do, for those who are to say yes to it: two states of a fleet compared."""
