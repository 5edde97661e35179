"""The log as a channel: the suite, for a channel without an outside system."""

from __future__ import annotations

from sms.channels.console import Console
from tests.sms.conformance import ChannelConformance


class TestConsole(ChannelConformance):
    channel, simulator = Console, None
