"""The error of this project that needs no traceback to be understood."""


class DataError(ValueError):
    """Input that cannot be used. The message names file, place, value and the fix, in one line."""


class NotFoundError(DataError):
    """What was asked for is not there, where something that is not there may be no fault."""
