"""Difficulty, targets and the compact form of a target: the arithmetic, exact and pure.

A hash counts as a number when read little-endian; it satisfies a target when it is not above it. Difficulty 1
is Bitcoin's (0x1d00ffff), which is also what pool software means by it.
"""

DIFFICULTY_1 = 0xFFFF << 208
MAX_TARGET = (1 << 256) - 1


def target_of_difficulty(difficulty: float) -> int:
    """The target of a share difficulty above 0, never more than a hash can be."""
    over, under = difficulty.as_integer_ratio()  # exact, where a division of floats would not be
    return min(DIFFICULTY_1 * under // over, MAX_TARGET)


def target_of_bits(bits: int) -> int:
    """The target of a block header's compact `bits` field; raises ValueError when it has none."""
    size, mantissa = bits >> 24, bits & 0x7FFFFF
    if bits & 0x800000 or not mantissa:
        raise ValueError(f"compact target {bits:08x} is negative or zero")
    target = mantissa << 8 * (size - 3) if size > 3 else mantissa >> 8 * (3 - size)
    if not 0 < target <= MAX_TARGET:
        raise ValueError(f"compact target {bits:08x} is out of range")
    return target


def bits_of_target(target: int) -> int:
    """The compact form of a target, rounded down as Bitcoin does."""
    size = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (size - 3) if size > 3 else target << 8 * (3 - size)
    if mantissa & 0x800000:  # the top bit is a sign there
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def difficulty_of_target(target: int) -> float:
    """How many times harder than difficulty 1 a target is."""
    return DIFFICULTY_1 / target
