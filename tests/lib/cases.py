# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The words a test file uses: test, shared, Skip, equal, note.

A test is a plain function marked with @test. What is costly to make (a booted guest) is a function
marked with @shared: it runs at its first call, and the runner closes what it returned after the file's
last test, and after a test that failed, so that the next one gets a new guest. When the making itself
failed, it fails again at once for every test that needs it.
"""

import functools


class Skip(Exception):
    """Raised by a test that cannot run on this machine; the text says what is missing."""


class Case:
    """One test function with its name and its limit in seconds."""

    def __init__(self, function, timeout):
        self.function = function
        self.name = f'{function.__module__}.{function.__name__}'
        self.timeout = timeout


CASES = []
SHARED = []
NOTES = []
ON_FAILURE = []  # functions that return text worth reading after a failure (the guests' logs)


def test(function=None, *, timeout=120):
    """Mark a function as a test: @test or @test(timeout=300)."""
    if function is None:
        return functools.partial(test, timeout=timeout)
    CASES.append(Case(function, timeout))
    return function


class Shared:
    """Makes its thing at the first call, hands out the same one later, closes it at the end."""

    def __init__(self, make):
        self.make = make
        self.thing = None
        self.error = None

    def __call__(self):
        if self.error:
            raise RuntimeError(f'{self.make.__name__}() failed before: {self.error}')
        if self.thing is None:
            try:
                self.thing = self.make()
            except Skip:
                raise
            except Exception as error:
                self.error = error
                raise
        return self.thing

    def close(self):
        """Close the thing; the next call makes a new one."""
        thing, self.thing = self.thing, None
        if thing is not None:
            thing.close()


def shared(make):
    """Mark a function whose result all tests of the file share."""
    thing = Shared(make)
    SHARED.append(thing)
    return thing


def note(text):
    """A figure or a fact that belongs beside the test's line in the output."""
    NOTES.append(text)


def equal(got, wanted, what):
    """Fail with both values unless they are equal."""
    if got != wanted:
        raise AssertionError(f'{what}: got {got!r}, wanted {wanted!r}')


def check(condition, why):
    """Fail with a sentence unless the condition holds."""
    if not condition:
        raise AssertionError(why)
