"""How often Python's garbage collector runs in the hub, and how many objects it traverses.

Most objects of a start are freed a second later, when nothing refers to them any more. The collector looks for cycles
after every few hundred new objects. With many starts at a time, it traverses their objects again and again, and
sometimes all objects of the hub, which blocks the loop. The settings here apply to the whole process. Any thread.
"""
import gc

NEW_OBJECTS = 20000  # after which the collector runs on them: some megabytes, and some milliseconds

# Python's default thresholds and their replacements. Other values were set on purpose, and are kept.
#
# Objects that survive some collections are traversed once more, all of them together. With Python's default of eleven
# collections, that is up to 240,000 objects, and blocks the hub for a tenth of a second; with two, a quarter of that.
# What survives that is traversed as seldom as before, in one of 144 collections. The zero is that of a Python that
# traverses a part of it each time.
THRESHOLDS = {
    (700, 10, 10): (NEW_OBJECTS, 1, 46),
    (2000, 10, 10): (NEW_OBJECTS, 1, 46),
    (2000, 10, 0): (NEW_OBJECTS, 10, 0),
}


def relieve():
    """Exclude the present objects from garbage collection, and let it run less often.

    The present objects are those of modules, which stay: with a new client, some hundred thousand.
    """
    if hasattr(gc, 'freeze'):  # novermin: since Python 3.7
        gc.freeze()  # novermin
    threshold = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS.get(threshold, threshold))
