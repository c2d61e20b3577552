"""How often Python's garbage collector walks through the hub's objects.

Most objects of a start end by themselves, a second later, when nothing refers to them any more. Python looks for those
that only refer to each other after every few hundred new objects. With many starts at a time it then walks through
everything that these starts need, again and again, and now and then through everything there is, which holds up the
loop. What is set here holds for the whole process. Any thread.
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
