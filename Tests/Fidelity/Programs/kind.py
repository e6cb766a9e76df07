"""What a kind is. A kind is one thing that a process can hold, together with what others do to it while the process
sleeps. Its methods run in two places: `take` and `look` in the container that sleeps, `meet`, `disturb` and `after` in
another one, which has the same volume and runs all the time.

`look`, `disturb` and `after` yield checks: what is looked at, what is expected, what is seen.
"""

import importlib
import os
import re


class NotHere(Exception):
    """This kernel or machine does not have what the kind needs."""


class Kind:
    holds = ""
    asleep = "nothing"
    # Of what a container is frozen for, or stays awake for: a regular expression for the reason that is given. Empty: it sleeps.
    refusal = ""

    def __init__(self, volume):
        self.directory = os.path.join(volume, re.sub("[^a-z0-9]+", "-", self.name.lower()).strip("-"))
        self.path = os.path.join(self.directory, "file")
        # Its address; the outsider is told.
        self.pod = None

    @property
    def name(self):
        return f"{self.holds}: {self.asleep}"

    def take(self):
        """In the container, once, before the first sleep."""

    def meet(self):
        """Outside, once, after `take`."""

    def disturb(self, n):
        """Outside, while the container sleeps for the n-th time."""
        return ()

    def look(self, n):
        """In the container, after the n-th wake."""
        return ()

    def after(self, n):
        """Outside, after `look`."""
        return ()


def load(group, volume, only=None):
    """The kinds of a group, in the order of its file."""
    made = [make(volume) for make in importlib.import_module(f"groups.{group}").KINDS]
    names = [kind.name for kind in made]
    assert len(set(names)) == len(names), "two kinds of one name"
    for kind in made:
        os.makedirs(kind.directory, exist_ok=True)
    return [kind for kind in made if only is None or kind.name in only]


def collect(kind, method, *arguments):
    """The checks of one method, comparable as text; an exception is one that failed."""
    checks = []
    try:
        for what, expected, seen in getattr(kind, method)(*arguments) or ():
            checks.append([what, repr(expected), repr(seen)])
    except Exception as error:
        checks.append([f"{method}()", "no exception", f"{type(error).__name__}: {error}"])
    return checks
