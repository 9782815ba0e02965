"""A part of the demo stack: notes down that it was started, says that it is ready, and waits to be stopped."""

import os
import signal
import sys

starts, ready = sys.argv[1:]
with open(starts, "a", encoding="ascii") as file:  # noqa: PTH123 - without pathlib it starts in a blink
    file.write(f"{os.getpid()}\n")
with open(f"{ready}.new", "w", encoding="ascii") as file:  # noqa: PTH123
    file.write(str(os.getpid()))
os.replace(f"{ready}.new", ready)  # noqa: PTH105
while True:
    signal.pause()
