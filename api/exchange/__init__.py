"""Doors that other people's software knows already."""
