"""The loop, file by file: observe, analyse, moves, admit, delegate, settle; hub.py joins them, runner.py drives."""
