"""What the endpoints in the shape of other APIs have in common, whichever API it is."""
