"""What is fetched when there is no bitcoind: named once for the installer (binaries.py) and for `shiftboss cache`.

A module of its own, because what installs packages takes a while to import.
"""

from shiftboss.system.packages import PackageSpec

KNOTS = PackageSpec(name="bitcoin-knots", suite="sid", program="bitcoind")
