"""Probes and lifecycle hooks of containers.

What belongs here: exec, httpGet and tcpSocket, and how often to probe. What does not: how a container reacts to the
result (containers.py). Everything runs on the loop thread of the server.
"""
import os
import tempfile
from datetime import timedelta

from tornado import gen
from tornado.httpclient import HTTPError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.tcpclient import TCPClient

from .processes import StartError

OUTPUT_LIMIT = 10 * 1024  # bytes of an exec probe's output that an event shows


@gen.coroutine
def call(handler, container, timeout):
    """Execute a handler. Return (whether it succeeded, its output)."""
    try:
        if 'exec' in handler:
            result = yield call_exec(handler['exec'], container, timeout)
        elif 'httpGet' in handler:
            result = yield call_http(handler['httpGet'], container, timeout)
        else:
            result = yield call_tcp(handler['tcpSocket'], container, timeout)
    except gen.TimeoutError:
        result = False, 'no answer within %g s' % timeout
    except (OSError, StartError, ValueError) as e:
        result = False, str(e)
    raise gen.Return(result)


@gen.coroutine
def call_exec(action, container, timeout):
    descriptor, output = tempfile.mkstemp(dir=container.worker.directory)
    os.close(descriptor)
    process = container.run_process(action['command'], output)
    try:
        yield process.started
        code = yield gen.with_timeout(timedelta(seconds=timeout), process.ended)
        with open(output, errors='replace') as f:
            raise gen.Return((code == 0, f.read(OUTPUT_LIMIT).strip()))
    finally:
        process.kill()
        os.remove(output)


@gen.coroutine
def call_http(action, container, timeout):
    url = '%s://%s:%d/%s' % (action['scheme'].lower(), action.get('host') or container.worker.address,
                             port_number(action['port'], container.spec), action['path'].lstrip('/'))
    headers = HTTPHeaders()
    for header in action.get('httpHeaders', ()):
        headers.add(header['name'], header.get('value', ''))
    request = HTTPRequest(url, headers=headers, request_timeout=timeout, connect_timeout=timeout, validate_cert=False)
    try:
        response = yield container.worker.kubelet.http.fetch(request)
    except HTTPError as e:
        if e.code == 599:
            raise gen.Return((False, 'Get "%s": %s' % (url, e.message)))
        raise gen.Return((e.code < 400, 'HTTP probe failed with statuscode: %d' % e.code))
    except OSError as e:
        raise gen.Return((False, 'Get "%s": dial tcp: connect: %s' % (url, (e.strerror or str(e)).lower())))
    raise gen.Return((True, 'statuscode: %d' % response.code))


@gen.coroutine
def call_tcp(action, container, timeout):
    address = action.get('host') or container.worker.address
    port = port_number(action['port'], container.spec)
    try:
        stream = yield gen.with_timeout(timedelta(seconds=timeout), TCPClient().connect(address, port))
    except OSError as e:
        raise gen.Return((False, 'dial tcp %s:%d: connect: %s' % (address, port, (e.strerror or str(e)).lower())))
    stream.close()
    raise gen.Return((True, ''))


def port_number(port, spec):
    """Return the number of a port, which can be given by name. Raise ValueError for an unknown name."""
    if isinstance(port, int):
        return port
    for each in spec.get('ports', ()):
        if each.get('name') == port:
            return each['containerPort']
    if port.isdigit():
        return int(port)
    raise ValueError("couldn't find port: %s" % port)


@gen.coroutine
def watch(probe, container, process, on_change, on_failure):
    """Probe until the process ends or `on_change` returns True.

    on_change(bool): called when the result has reached its threshold, with whether it is a success.
    on_failure(str): called after each failed attempt, with its output.
    """
    yield container.worker.pause(probe.get('initialDelaySeconds', 0))
    result, streak = None, 0
    while not process.ended.done() and not container.worker.stopping:
        succeeded, output = yield call(probe, container, probe['timeoutSeconds'])
        if process.ended.done() or container.worker.stopping:
            return
        if not succeeded:
            on_failure(output)
        streak = streak + 1 if succeeded == result else 1
        result = succeeded
        needed = probe['successThreshold'] if succeeded else probe['failureThreshold']
        if streak >= needed and on_change(succeeded):
            return
        yield container.worker.pause(probe['periodSeconds'])
