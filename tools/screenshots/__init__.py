"""The pictures of the documentation, in docs/images."""
