"""What a shell asks at each press of the tabulator key: Python starts anew for it, so little is imported."""
