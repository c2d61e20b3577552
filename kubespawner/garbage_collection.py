"""How often Python's garbage collector walks through the hub's objects.

Most objects of a start end by themselves, a second later, when nothing refers to them any more. Python looks for those
that only refer to each other after every few hundred new objects, and with many starts at a time it walks through
everything that these starts need, again and again. With a hundred at a time that was a fifth of what a start cost, and
the longest walks held up the loop for a quarter of a second. Belongs to the process; any thread.
"""
import gc

NEW_OBJECTS = 20000  # after which the collector looks at them: some megabytes, and some milliseconds

# What Python itself sets. Whoever has set anything else means it.
DEFAULTS = frozenset([(700, 10, 10), (2000, 10, 10), (2000, 10, 0)])


def relieve():
    """Have the collector leave alone what is there now, and look less often at what is new.

    What is there are the modules, for good: with a new client, some hundred thousand objects.
    """
    if hasattr(gc, 'freeze'):  # novermin: since Python 3.7
        gc.freeze()  # novermin
    if gc.get_threshold() in DEFAULTS:
        gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
