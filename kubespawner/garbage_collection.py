"""How often Python's garbage collector walks through the hub's objects, and through how many at a time.

Most objects of a start end by themselves, a second later, when nothing refers to them any more. Python looks for those
that only refer to each other after every few hundred new objects. With many starts at a time it then walks through
everything that these starts need, again and again, and now and then through everything there is, which holds up the
loop. What is set here holds for the whole process. Any thread.
"""
import gc

NEW_OBJECTS = 20000  # after which the collector looks at them: some megabytes, and some milliseconds

# By what Python itself sets: what takes its place. Whoever has set anything else means it.
#
# What is still there after some looks is looked at once more, all of it together. After eleven looks, as Python has it,
# that is up to 240,000 objects, and the hub answers nobody for a tenth of a second. After two it is a quarter of that.
# What is there after that is looked at as seldom as before, once in 144 times. The zero is that of a Python that looks
# at a part of it each time.
THRESHOLDS = {
    (700, 10, 10): (NEW_OBJECTS, 1, 46),
    (2000, 10, 10): (NEW_OBJECTS, 1, 46),
    (2000, 10, 0): (NEW_OBJECTS, 10, 0),
}


def relieve():
    """Have the collector leave alone what is there now, and look less often at what is new.

    What is there are the modules, for good: with a new client, some hundred thousand objects.
    """
    if hasattr(gc, 'freeze'):  # novermin: since Python 3.7
        gc.freeze()  # novermin
    threshold = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS.get(threshold, threshold))
