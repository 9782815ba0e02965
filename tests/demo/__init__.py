"""Stacks for tests that need no mining: `small` lives in a dict, `stack` is made of real processes and files."""
