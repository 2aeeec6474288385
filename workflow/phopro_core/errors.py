"""Errors that several modules raise."""


class ConfigError(ValueError):
    """Something in the config, or in the files it points to, that no job could run with.

    Parameters
    ----------
    message : str
    key : str, optional
        Of the config, where it is one key's.
    hint : str, optional
        What would be right. Shown below the message, but not part of ``str(error)``.
    """

    def __init__(self, message: str, key: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.key = key
        self.hint = hint
        if hint:
            self.add_note(hint)

    @property
    def told(self) -> str:
        """The message with its key and its hint, as a terminal shows it."""
        where = f"config key {self.key!r}: " if self.key else ""
        return f"{where}{self}" + (f"\n{self.hint}" if self.hint else "")
