"""The one kind of error that a command line shows without a traceback."""


class UserError(Exception):
    """A mistake that the person at the keyboard can mend.

    Command lines print its message in one line and exit with status 2.
    """
