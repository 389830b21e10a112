"""What the Makefile runs: a whole world for development, a demonstration, tests and checks."""
