"""The one exception that means: the user's file or option is wrong."""


class InputError(ValueError):
    """A fault in a user's file or option; commands print it and exit with code 2.

    The message names the place (file, line, key), what was found, and the remedy.
    """
