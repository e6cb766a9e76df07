"""What keeps a container awake: it waits to be read or accepted, and the kernel does not tell how much of it there is, so
nobody can say whether it has come since the last look."""

import functools

from groups.local import Bound, Listener, Pair


class Waiting:
    refusal = "somebody needed it"


class WaitingPair(Waiting, Pair):
    pass


class WaitingBound(Waiting, Bound):
    pass


class WaitingListener(Waiting, Listener):
    pass


KINDS = [functools.partial(WaitingPair, "datagram"), functools.partial(WaitingBound, "nothing")] + [
    functools.partial(WaitingListener, way, "a connection waits") for way in ("with a path", "abstract")
]
