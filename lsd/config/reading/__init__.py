"""From files to the classes of the tables."""
