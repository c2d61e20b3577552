"""The reference of all settings is that of the code as it is, on every version of everything.

After a change of a setting: `UPDATE_REFERENCE=1 pytest tests/test_reference.py`.
"""
import os
import re

import pytest

from kubespawner import KubeSpawner, eras
from tests import reference


@pytest.fixture(scope='module')
def text():
    with open(reference.PATH, encoding='utf8') as f:
        return f.read()


def test_the_reference_is_current():
    made = reference.reference()
    if os.environ.get('UPDATE_REFERENCE'):
        with open(reference.PATH, 'w', encoding='utf8') as f:
            f.write(made)
    with open(reference.PATH, encoding='utf8') as f:
        assert f.read() == made, 'write it anew: UPDATE_REFERENCE=1 pytest tests/test_reference.py'


def test_every_setting_is_in_it_once_with_all_its_names(text):
    headings = re.findall(r'^(\w+)\n~+$', text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert set(KubeSpawner.class_own_traits(config=True)) <= set(headings)
    for trait, names in eras.NAMES.items():
        part = text[text.index('\n%s\n~' % trait):]
        assert re.search('^:Names: (.*)$', part, re.MULTILINE).group(1) == ', '.join('``%s``' % name for name in names)


def test_each_setting_says_since_when_spawners_have_it():
    assert not reference.OF_2018 & set(reference.SINCE)
    for trait in KubeSpawner.class_own_traits(config=True):
        assert reference.since(trait)


def test_it_is_valid_restructuredtext(text):
    core = pytest.importorskip('docutils.core')
    problems = []
    core.publish_doctree(text, settings_overrides={
        'report_level': 2, 'halt_level': 6, 'warning_stream': type('Stream', (), {
            'write': lambda self, problem: problems.append(problem)})()})
    assert problems == []
