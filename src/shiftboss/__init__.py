"""Shiftboss looks at a stack, finds what is missing or broken and sends the right specialist.

Kept empty of imports on purpose: `shiftboss --version` must not pay for anything it does not use.
"""

__version__ = "0.1.0"
