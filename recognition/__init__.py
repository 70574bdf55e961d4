"""What kind of problem is this? Proposals from words, photos and voice. Knows no case."""
