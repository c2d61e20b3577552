"""Objects as YAML documents that kubectl reads, under a heading for each choice, and the differences of two. Pure."""
import difflib
import re
from collections import OrderedDict

import yaml

HEADING = '# server of '  # begins the line before the documents of one choice

# Strings that YAML 1.2 readers, or Go's, may take for a number, though YAML 1.1 as PyYAML knows it does not.
_LIKE_A_NUMBER = re.compile(r'[-+.]?[0-9][-+._:0-9a-fA-FxXoO]*\Z')


class _Dumper(yaml.SafeDumper):
    """Writes strings that look like numbers in quotes, and strings of several lines as blocks."""

    def ignore_aliases(self, data):
        return True


def _text(dumper, value):
    style = '|' if '\n' in value else "'" if _LIKE_A_NUMBER.match(value) else None
    return dumper.represent_scalar('tag:yaml.org,2002:str', value, style=style)


_Dumper.add_representer(str, _text)


def dump(objects):
    """Return objects (dicts) as YAML documents; keys are in the order of the alphabet."""
    return yaml.dump_all(objects, Dumper=_Dumper, default_flow_style=False, explicit_start=True, width=2 ** 16,
                         allow_unicode=True)


def heading(user, server, title):
    """Return the line before the documents of one choice."""
    return '%s%s%s, %s\n' % (HEADING, user, '/' + server if server else '', title)


def sections(text):
    """Return the documents of each choice in an output, as a dict by heading; without one, under ''.

    Raises ValueError if it is not YAML.
    """
    parts, name = OrderedDict(), ''
    for line in text.splitlines(True):
        if line.startswith(HEADING):
            name = line.rstrip('\r\n')
        parts.setdefault(name, []).append(line)
    try:
        return OrderedDict((name, dump([each for each in yaml.safe_load_all(''.join(lines)) if each is not None]))
                           for name, lines in parts.items() if name or ''.join(lines).strip())
    except yaml.YAMLError as e:
        raise ValueError('it is not YAML: %s' % ' '.join(str(e).split()))


def differences(before, after):
    """Return what is different between two outputs, as a unified diff for each choice: a list of str.

    before, after: see `sections`.
    """
    found = []
    for name in list(after) + [name for name in before if name not in after]:
        lines = [sections.get(name, '').splitlines(True) for sections in (before, after)]
        diff = list(difflib.unified_diff(*lines, fromfile='before', tofile='after'))
        if diff:
            state = ' (new)' if name not in before else ' (no longer there)' if name not in after else ''
            found.append('%s%s\n%s' % (name or '#', state, ''.join(diff)))
    return found
