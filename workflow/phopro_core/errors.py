"""Errors that several modules raise."""


class ConfigError(ValueError):
    """Something in the config, or in the files it points to, that no job could run with."""
