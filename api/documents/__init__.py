"""The written reports: which there are, what they are made of, who sets them and when."""
