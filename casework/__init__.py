"""The rules of a case: what may be asked, what has happened, and who may do what when."""
