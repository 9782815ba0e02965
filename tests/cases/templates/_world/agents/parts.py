"""Handlers of the small world; never run by these tests."""

raise RuntimeError("a template check must not run the code it looks at")


async def handle(order, bench):
    """Do nothing."""


async def probe(bench):
    """See nothing."""
