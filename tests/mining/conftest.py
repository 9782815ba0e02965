"""Fixtures of the tests on real stacks; they are those of golden.py."""

from golden import fresh, golden, stack  # noqa: F401 - pytest finds fixtures by their names here
