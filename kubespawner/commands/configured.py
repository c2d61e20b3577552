"""Loads the configuration file of a hub as JupyterHub does, without a hub.

The file runs, with all that it does, in the current directory, as in a hub that is started there. What it prints goes
to standard error. Runs on the main thread.
"""
import json
import linecache
import logging
import os
import re
import sys
import traceback

import jupyterhub
import traitlets
from jupyterhub.app import JupyterHub
from jupyterhub.spawner import Spawner
from kubernetes.client.rest import ApiException

from ..configuration import Configuration
from ..messages.errors import one_line
from .streams import output_to_stderr

_OBJECT = re.compile('<jupyterhub[.]app[.]JupyterHub object at 0x[0-9a-f]+>')

# What traitlets says of the name of a class.
_NO_CLASS = re.compile(r"The '(\w+)' trait of a JupyterHub instance must be a type, but '(.*)' could not be imported")

LOADED = '.py', '.json'  # the kinds of files that JupyterHub reads


class CannotBeUsed(Exception):
    """A configuration of which no server can be started; str() is one sentence or more, each on a line."""


def is_set(trait, config, spawner_class):
    """Return whether a configuration sets a trait of spawners of a class, under this name."""
    return any(trait in config.get(section, {}) for section in spawner_class.section_names())


class Log(logging.Logger):
    """Keeps the warnings and errors that are logged, without repeating one.

    heard (callable): called with the text of each, from `open` on: what is logged before an error repeats that.
    """

    def __init__(self, heard=lambda text: None):
        super().__init__('kubespawner', logging.WARNING)
        self.texts, self._heard, self._is_open = [], heard, False
        self.propagate = False

    def handle(self, record):
        text = one_line(record.getMessage())
        if text not in self.texts:
            self.texts.append(text)
            if self._is_open:
                self._heard(text)

    def open(self):
        """Pass on all texts from now on, after those that were kept."""
        self._is_open = True
        for text in self.texts:
            self._heard(text)


class Configured:
    """A configuration that was loaded.

    path (str): of the file. app (JupyterHub): it has the configuration, and was not initialized.
    log (Log): has what was warned of.
    """

    def __init__(self, path, app, log):
        self.path, self.app, self.log = path, app, log

    @property
    def spawner_class(self):
        """The class of the spawner. Raises CannotBeUsed if it is not a KubeSpawner."""
        cls = self.app.spawner_class
        if issubclass(cls, Configuration):
            return cls
        is_set = 'spawner_class' in self.app.config.get('JupyterHub', {})
        raise CannotBeUsed('%s: JupyterHub.spawner_class is %s%s, which is not a KubeSpawner. Set '
                           "c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'." % (
                               self.path, _full_name(cls), '' if is_set else ', the default'))


def _full_name(cls):
    return '%s.%s' % (cls.__module__, cls.__name__) if issubclass(cls, Spawner) else repr(cls)


def load(path, log=None):
    """Return the Configured of a file. Raises CannotBeUsed, which names the file and the line."""
    log = log or Log()
    _check_file(path)
    app = JupyterHub(log=log)
    app.raise_config_file_errors = True
    app.exit, app.print_help = _raise_current, lambda *args, **kwargs: None
    try:
        with output_to_stderr():
            app.load_config_file(path)
            app.init_hub()
            app.spawner_class  # noqa: B018, made of the name of a class
    except CannotBeUsed:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as e:  # files may call sys.exit
        raise CannotBeUsed(explained(e, path))
    _merge_old_section(app)
    log.open()
    return Configured(path, app, log)


def _check_file(path):
    kind = os.path.splitext(path)[1]
    if os.path.isdir(path):
        raise CannotBeUsed('%s: this is a directory. Name the file of the configuration in it.' % path)
    if not os.path.isfile(path):
        raise CannotBeUsed('%s: the file does not exist.%s' % (
            path, '' if os.path.isabs(path) else ' The current directory is %s.' % os.getcwd()))
    if kind not in LOADED:
        raise CannotBeUsed('%s: JupyterHub reads files whose names end in .py or .json, and would read nothing of '
                           'this one. Rename it.' % path)
    try:
        with open(path):
            pass
    except OSError as e:
        raise CannotBeUsed('%s: the file cannot be read: %s.' % (path, e.strerror))


def _raise_current(exit_status=0):
    """Raise the error that JupyterHub handles by ending itself."""
    raise sys.exc_info()[1] or SystemExit(exit_status)


def _merge_old_section(app):
    """Apply the section JupyterHubApp, as JupyterHub does when it starts."""
    if 'JupyterHubApp' in app.config:
        config = app.config.copy()
        config.JupyterHub.merge(config.JupyterHubApp)
        app.update_config(config)


# Settings that traitlets says it does not know.
_NOT_KNOWN = re.compile(r'Config option `(\w+)` not recognized by')


def is_of_problems(text, problems):
    """Return whether a text in a log reports the same about a setting as one of these problems (list of Problem)."""
    found = _NOT_KNOWN.match(text)
    return found is not None and any(problem.setting.endswith('.' + found.group(1)) for problem in problems)


# Errors of what an operator wrote

def explained(error, path):
    """Return a sentence about an error of a configuration file, or of a function in it: where it is, and what."""
    where = place(error, path)
    return '%s: %s' % (where, cause(error))


def cause(error):
    """Return what an error says: its type and its text, with what helps to understand it."""
    name, text = type(error).__name__, _OBJECT.sub('a JupyterHub', one_line(error))
    if isinstance(error, SystemExit):
        return 'the file ends the hub with sys.exit(%s).' % ('' if error.code is None else text)
    if isinstance(error, SyntaxError):
        text = error.msg
    if isinstance(error, ApiException):
        text = '%s %s%s' % (error.status, error.reason, ': ' + said_by_server(error) if error.body else '')
    if isinstance(error, KeyError) and _is_of_environment(error):
        return 'the environment variable %s is not set here. Set it as it is for the hub.' % text
    unknown_class = _NO_CLASS.match(text)
    if unknown_class:
        return ('JupyterHub.%s: %r could not be imported. Is it spelled right, and is its package installed? '
                'The command needs the packages that the hub has; it runs on %s.' % (
                    unknown_class.group(1), unknown_class.group(2), sys.executable))
    if isinstance(error, FileNotFoundError) and error.filename and not os.path.isabs(str(error.filename)):
        return '%s: %s. The path is relative: run the command in the directory where the hub starts; this is %s.' % (
            name, text, os.getcwd())
    if isinstance(error, ImportError):
        return '%s: %s. The command needs the packages that the hub has; it runs on %s.' % (name, text, sys.executable)
    return '%s: %s' % (name, text) if text else name


def said_by_server(error):
    """Return the message in the answer that an ApiException of the client is about."""
    try:
        return one_line(json.loads(error.body)['message'])
    except (TypeError, ValueError, KeyError):
        return one_line(error.body)[:200]


def _is_of_environment(error):
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and os.path.basename(frames[-1][0]) in ('os.py', '<frozen os>')


def place(error, path):
    """Return `FILE, line N`, and the function there, of what raised an error; the path if that is not known."""
    if isinstance(error, SyntaxError) and error.filename:
        return '%s, line %s' % (_shown(error.filename, path), error.lineno)
    found = None
    for each in chain(error):
        for frame in traceback.extract_tb(each.__traceback__):
            if _is_of_operator(frame[0], path):
                found = frame
        if found:
            break
    if found is None:
        return path
    function = found[2]
    return '%s, line %d%s' % (_shown(found[0], path), found[1],
                              '' if function.startswith('<') else ', in %s' % function)


def chain(error):
    """Return an error and what it was raised from, the first cause first."""
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found[::-1]


_LIBRARIES = (os.path.dirname(os.__file__),) + tuple(
    os.path.dirname(os.path.dirname(os.path.abspath(module.__file__))) for module in (jupyterhub, traitlets))
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _is_of_operator(filename, path):
    full = os.path.abspath(filename)
    if full == os.path.abspath(path):
        return True
    is_library = full.startswith(_LIBRARIES + (_OURS,)) or os.sep + 'site-packages' + os.sep in full
    return os.path.exists(full) and not is_library and not filename.startswith('<') and bool(linecache.getlines(full))


def _shown(filename, path):
    return path if os.path.abspath(filename) == os.path.abspath(path) else filename
