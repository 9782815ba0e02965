"""Fixtures of the crash matrix on real stacks; they are those of tests/mining/golden.py, and share its golden data."""

from golden import fresh, golden, stack  # noqa: F401 - pytest finds fixtures by their names here
