"""The rules of each desk: what a command may ask, and what then happens. Pure; may refuse."""
