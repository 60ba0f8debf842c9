"""Near-identical photos of the whole collection: found after a build, listed by a command."""
