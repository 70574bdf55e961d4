"""The rules of a case: what may be asked of it, what has happened to it, and who may do what when."""
