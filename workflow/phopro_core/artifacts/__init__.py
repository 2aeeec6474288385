"""Artifacts: stretches of a signal that no sensor made, found and mended."""
