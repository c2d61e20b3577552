"""The directive `measured`: the tables of the benchmark, made of a file of its raw numbers.

The argument is the file, relative to the documentation. The tables say which commit was measured.
"""
import json
import os

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from tests.bench import published, report

OUTDATED = '''\
.. note:: The code has changed since these figures were measured.

'''


class Measured(Directive):
    required_arguments = 1

    def run(self):
        environment = self.state.document.settings.env
        path = os.path.join(environment.srcdir, self.arguments[0])
        environment.note_dependency(path)
        with open(path, encoding='utf8') as f:
            results = json.load(f)
        text = report.text(results)
        if published.outdated(results, published.code()):
            text = OUTDATED + text
        lines = StringList(text.splitlines(), source=path)
        container = nodes.section()
        self.state.nested_parse(lines, self.content_offset, container)
        return container.children


def setup(app):
    app.add_directive('measured', Measured)
    return {'parallel_read_safe': True}
