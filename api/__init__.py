"""The HTTP face: schemas in, commands on, views out; and the one place where all parts meet."""
