"""Puts faults into stacks, real or simulated, and measures what the hub does about them."""
