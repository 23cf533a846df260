"""What has happened on this host, for people to read."""
