"""What runs inside a bounded worker: each file loads one model and its libraries."""
