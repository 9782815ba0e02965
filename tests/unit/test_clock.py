"""The virtual clock wakes sleepers in the order of their time."""

import asyncio

import pytest

from shiftboss.system.clock import FakeClock, SystemClock, file_stamp, utc_text


def test_sleepers_wake_in_order_and_only_when_time_has_passed():
    async def story() -> None:
        clock = FakeClock()
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, *naps: float) -> None:
            for seconds in naps:
                await clock.sleep(seconds)
                woken.append((name, clock.monotonic()))

        tasks = [
            asyncio.create_task(sleeper("a", 5, 1)),
            asyncio.create_task(sleeper("b", 2, 3)),
            asyncio.create_task(sleeper("c", 60)),
        ]
        await clock.advance(1.5)
        assert woken == []
        await clock.advance(10)
        assert woken == [("b", 2), ("a", 5), ("b", 5), ("a", 6)]
        assert clock.monotonic() == 11.5
        assert clock.now() == 1_700_000_011.5
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await clock.advance(100)
        assert len(woken) == 4

    asyncio.run(story())


def test_an_automatic_clock_needs_nobody_to_move_it_and_keeps_the_order():
    async def story() -> list[str]:
        clock = FakeClock(auto=True)
        woken: list[str] = []

        async def sleeper(name: str, *naps: float) -> None:
            for seconds in naps:
                await clock.sleep(seconds)
                woken.append(f"{name}{clock.monotonic():g}")

        await asyncio.gather(sleeper("a", 3600, 3600), sleeper("b", 10, 5000), sleeper("c", 0))
        return woken

    assert asyncio.run(story()) == ["c0", "b10", "a3600", "b5010", "a7200"]


def test_a_cancelled_sleeper_does_not_stop_an_automatic_clock():
    async def story() -> float:
        clock = FakeClock(auto=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await clock.sleep(5)
        await clock.sleep(7)
        return clock.monotonic()

    assert asyncio.run(story()) == 7


def test_the_system_clock_goes_forward():
    async def story() -> None:
        clock = SystemClock()
        before = clock.monotonic()
        await clock.sleep(0.01)
        assert clock.monotonic() - before >= 0.009
        assert clock.now() > 1_700_000_000

    asyncio.run(story())


def test_dates_are_utc():
    assert utc_text(0) == "1970-01-01T00:00:00Z"
    assert file_stamp(86_399.9) == "19700101T235959Z"


def test_an_automatic_clock_survives_its_event_loop():
    clock = FakeClock(auto=True)
    for _ in range(3):
        asyncio.run(clock.sleep(5))
    assert clock.monotonic() == 15
