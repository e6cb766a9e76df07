"""Bytes that both sides know. The period divides no buffer's size, so that what is missing, doubled or moved shows."""

import hashlib

PERIOD = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(2048))[:65521]


def pattern(length):
    return (PERIOD * (length // len(PERIOD) + 1))[:length]
