"""Sample handlers, for the demo and for trying things out."""
