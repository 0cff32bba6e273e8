"""The line of every table and key of a TOML text."""

import tomllib

import pytest

from forecast.config.toml import index, line_of

TEXT = '''\
# comment with [brackets] and key = value
top = 1

[a]
x = "a # b ] } = [c]"  # [not.a.table]
'y y' = """
[inside]
z = 3 \\"""
"""
[ b . "c.d" ]
points = [ # first
  [0.1, 2], # ]
  [0.5, 1979-05-27 07:32:00],
]
inner = { p = 1, q = { r = [1, "}"] } }
e.f.g = \'\'\'it''s
[no]\'\'\'\'
[[many]]
k = 1
[many.sub]
k = 2
[[many]]
k = -inf
[[many.deep]]
k = 0x1f
"\\u0041" = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("a",), 4),
        (("a", "x"), 5),
        (("a", "y y"), 6),
        (("b",), 10),
        (("b", "c.d"), 10),
        (("b", "c.d", "points"), 11),
        (("b", "c.d", "points", "0"), 12),
        (("b", "c.d", "points", "0", "1"), 12),
        (("b", "c.d", "points", "1"), 13),
        (("b", "c.d", "inner", "q", "r", "1"), 15),
        (("b", "c.d", "e", "f", "g"), 16),
        (("many", "0", "k"), 19),
        (("many", "0", "sub", "k"), 21),
        (("many", "1"), 22),
        (("many", "1", "k"), 23),
        (("many", "1", "deep", "0", "k"), 25),
        (("many", "1", "deep", "0", "A"), 26),
    ],
)
def test_line_of_each_key(path, line):
    assert index(TEXT)[path] == line


def paths(value, path=()):
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*path, str(key))
        if isinstance(one, dict | list):
            yield from paths(one, (*path, str(key)))


def test_index_has_every_path_that_tomllib_reads_and_no_other():
    assert set(index(TEXT)) == set(paths(tomllib.loads(TEXT)))


def test_windows_line_ends_count_once():
    assert index(TEXT.replace("\n", "\r\n")) == index(TEXT)


def test_valid_priors_file_is_indexed_whole(priors_text):
    lines, found = priors_text.splitlines(), index(priors_text)
    assert set(found) == set(paths(tomllib.loads(priors_text)))
    for path in (one for one in found if len(one) == 3):
        assert lines[found[path] - 1].startswith(f"{path[-1]} =")


def test_absent_key_has_the_line_of_its_table():
    lines = index("\n[a]\nb = 1\n")
    assert line_of(lines, ("a", "c")) == 2
    assert line_of(lines, ("d", "c")) == 1
