"""The API server's answers to the objects of a start, which are sent with dryRun=All."""
import re

from ..dry_run import dry_run
from .findings import broken, fine, warning

_LACKS_RIGHT = re.compile(r'refused: 403 .*\bcannot create resource\b')


def check(cluster, objects_by_choice):
    """Check what each choice creates. objects_by_choice (dict): lists of objects, by the titles of choices."""
    found, said = [], []
    for title, objects in objects_by_choice.items():
        for outcome in dry_run(cluster, objects):
            said += outcome.lines
            for line in outcome.lines:
                if _LACKS_RIGHT.search(line):  # as `rights` says
                    continue
                if outcome.is_refused and line.startswith('refused'):
                    found.append(broken('%s: the API server refuses the %s: %s' % (
                        title, outcome.name, line.partition(': ')[2])))
                elif line.startswith('warning: '):
                    found.append(warning('%s: the API server warns of the %s: %s' % (
                        title, outcome.name, line.partition(': ')[2])))
                elif line.startswith(('dropped: ', 'changed: ')):
                    found.append(warning('%s: the API server changes the %s: %s' % (title, outcome.name, line)))
    if found or all(_LACKS_RIGHT.search(line) for line in said):
        return found
    return [fine('The API server takes all that the starts create (dry run).')]
