"""The last lines of the log of a failed server, for the hub's log; the user sees the last one.

Reading a log must not delay a start much, and a log that cannot be read is left out. Values that the hub put into the
containers' environment are masked. Everything runs on the IOLoop's thread.
"""
import base64

from tornado import gen
from tornado.ioloop import IOLoop

from ..kube import api
from ..messages.errors import one_line
from ..messages.secrets import SECRET, mask, secrets_in
from . import podstatus
from .waiting import TIMEOUTS

SECONDS = 2  # less than the margin between the end of a start and JupyterHub's own timeout
MOST_LINES, MOST_BYTES = 20, 16 * 1024
LONGEST_LINE = 1000  # characters in the hub's log
LONGEST_SHOWN = 300  # characters of the line that the user sees


class ServerLogs:
    """Reads the logs of the pod of one server.

    namespace, name (str): of the pod.
    """

    def __init__(self, requests, namespace, name, log):
        self._requests, self._namespace, self._name, self._log = requests, namespace, name, log

    @gen.coroutine
    def add_to(self, error, pod, container, secrets):
        """Write the last lines of a container's log to the hub's log; return `error` with the last one added.

        error (SpawnError). pod (dict or None): as it was last seen. secrets (list of str): see `secrets_of`.
        """
        lines = yield self.write(pod, container, secrets)
        more = ' The last line of its log: %s' % lines[-1][:LONGEST_SHOWN] if lines else ''
        return error.replaced(details=mask(error.details, secrets) + more, k8s_message=mask(error.k8s_message, secrets))

    @gen.coroutine
    def write(self, pod, container, secrets=None):
        """Write the last lines of the log of a container to the hub's log; return them, a list of str.

        secrets (list of str or None): see `secrets_of`; None: read the pod to find them.
        """
        deadline, lines = IOLoop.current().time() + SECONDS, []
        reading = self._masked_lines(pod, container, secrets, deadline)
        try:
            lines = yield gen.with_timeout(deadline, reading, quiet_exceptions=api.ApiError)
        except TIMEOUTS:
            self._log.warning('The log of container %s of pod %s could not be read in %d s', container, self._name,
                              SECONDS)
        except api.ApiError as e:
            self._log.warning('The log of container %s of pod %s could not be read: %s%s', container, self._name, e, (
                ' To see here why servers fail, give the hub the right to get pods/log.' if e.status == 403 else ''))
        for line in lines:
            self._log.warning('Log of pod %s, container %s: %s', self._name, container, line)
        return lines

    @gen.coroutine
    def _masked_lines(self, pod, container, secrets, deadline):
        if secrets is None:
            whole = yield self._requests.read('pod', self._namespace, self._name, deadline)
            if whole is None:
                return []
            more = yield self._variables_in_secret(whole, deadline)
            if more is None:
                return []
            secrets = secrets_of(whole, more)
        text = yield self._text(pod, container, deadline)
        lines = [one_line(line)[:LONGEST_LINE] for line in mask(text, secrets).split('\n')]
        return [line for line in lines if line.strip()][-MOST_LINES:]

    @gen.coroutine
    def _variables_in_secret(self, pod, deadline):
        """Return the variables in the Secret of a pod, dicts with `name` and `value`.

        None if the Secret is gone, so that it is not known what to mask.
        """
        name = podstatus.secret_with_token(pod)
        if name is None:
            return []
        secret = yield self._requests.read('secret', self._namespace, name, deadline)
        if secret is None:
            self._log.warning('The log of pod %s is not shown: Secret %s, which it would be compared with, is gone',
                              self._name, name)
            return None
        return [{'name': SECRET, 'value': base64.b64decode(value).decode('utf8', 'replace')}
                for value in (secret.get('data') or {}).values()]

    @gen.coroutine
    def _text(self, pod, container, deadline):
        """Return the end of a container's log, of its last run that has ended if there is one."""
        was_restarted = podstatus.was_restarted(pod, container)
        for previous in (was_restarted, not was_restarted):
            try:
                text = yield self._requests.send(
                    api.read_log(self._namespace, self._name, container, previous, MOST_LINES, MOST_BYTES), deadline)
            except api.ApiError as e:
                if e.status not in (400, 404):  # there is no such run, or its log is gone
                    raise
            else:
                if text.strip():  # otherwise the container may have been restarted since
                    return _whole_lines(text)
        return ''


def _whole_lines(text):
    """Return a log without its last line if that may be cut off, perhaps within a token that is to be masked."""
    if len(text.encode('utf8', 'replace')) < MOST_BYTES:
        return text
    lines, _, _ = text[:MOST_BYTES].rpartition('\n')
    return lines or text[:MOST_BYTES // 2]


def secrets_of(pod, more=()):
    """Return the secrets in the environment of a pod's containers, see `secrets_in`.

    more (iterable of dicts): variables of the pod that are in a Secret.
    """
    return secrets_in(podstatus.environment(pod) + list(more))
