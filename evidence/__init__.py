"""Photos, recordings and the masking of personal data in words. Knows nothing of cases."""
