"""Settings, values and profiles: what is known without a cluster."""
from .findings import broken, fine, warning

AT_START = 'No server can be started: '  # what the log says before a reason


def settings(problems):
    """Check settings and values. problems (list of Problem): see `checks`."""
    return [(broken if problem.is_fatal else warning)(problem.sentence) for problem in problems] or [
        fine('All settings of the spawner are known, and have values that it can use.')]


def logged(texts, told=()):
    """Check what was logged while the configuration was loaded and rehearsed.

    texts (list of str). told (list of str): sentences of other checks, which are not repeated.
    """
    return [warning(text) for text in texts if not any(text.replace(AT_START, '', 1) in each for each in told)]


def starts(choices, failures):
    """Check that each choice makes a pod.

    choices (list of str): their titles. failures (dict): what failed, a sentence, by the title of the choice.
    """
    found = [broken('%s: %s' % (title, sentence)) for title, sentence in failures.items()]
    good = len(choices) - len(failures)
    if good:
        found.insert(0, fine('%d of %d choice%s of profiles and options make%s a pod.' % (
            good, len(choices), '' if len(choices) == 1 else 's', 's' if good == 1 else '')))
    return found
