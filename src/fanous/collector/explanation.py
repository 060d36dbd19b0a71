"""Explanation: the page for people who see our pings and want to know why, or want them to stop."""

from html import escape

from fanous.scan.rounds import MOST_AN_HOUR

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Why do you see this?</title>
<h1>Why do you see pings from this machine?</h1>
<p>It asks blocks of internet addresses whether they can be reached, so that the public learns when a country
or a network is cut off. It is part of <b>Fanous</b>, an open monitor of internet disruptions.</p>
<ul>
<li>Every request is one ping (ICMP echo). Nothing else is sent, and no port is tried.</li>
<li>A block of 256 addresses gets at most {most} pings in an hour, all addresses together.</li>
<li>Only addresses that answered before are asked.</li>
<li>Only counts of blocks are kept and published, never an address.</li>
</ul>
<p>You do not want it? {contact}, name your network, and it is never asked again.</p>
</html>
"""


def page(contact: str) -> str:
    """The page as HTML.

    Args:
        contact: a mail address or other words of the operator; empty = none was given.
    """
    told = f"Write to {escape(contact)}" if contact else "Write to the contact in this machine's reverse DNS"
    return _PAGE.format(most=MOST_AN_HOUR, contact=told)
