"""Alerts: checks regularly for alerts that are due, and sends them."""

import asyncio

from fanous.pipeline.scheduler import pause
from fanous.publish.alerts.dispatch import Dispatcher


async def tell(dispatcher: Dispatcher, every: float, stop: asyncio.Event) -> None:
    """Until stopped; ``every``: seconds of the machine between two looks."""
    while not stop.is_set():
        await dispatcher.look()
        await pause(stop, every)
