"""What the end-to-end tests are written in terms of."""
