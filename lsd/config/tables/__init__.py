"""The tables of `lsd.toml` as frozen classes; attributes have the names of the keys."""
