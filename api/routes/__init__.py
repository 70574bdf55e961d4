"""The paths of the HTTP API, a file a desk."""
