"""What counts as code: tokens that do something, not words about them."""

import pytest

from forecast.inference.identity import code_tokens

CODE = """\
def f(a):
    if a:
        return "s"
    return (a, 2)
"""
SAME = '''\
"""What the module is for."""


def f(a):  # why
    """Return something.

    At length.
    """
    # Say more.
    if a:
        return "s"
    """A string by itself."""
    return (
        a, 2)
'''


def test_comments_docstrings_and_layout_do_not_count():
    assert list(code_tokens(SAME)) == list(code_tokens(CODE))


@pytest.mark.parametrize(
    ("old", "new"), [("2", "3"), ('"s"', '"t"'), ("    return (a", "        return (a")]
)
def test_numbers_text_that_is_used_and_blocks_count(old, new):
    assert list(code_tokens(CODE.replace(old, new))) != list(code_tokens(CODE))
