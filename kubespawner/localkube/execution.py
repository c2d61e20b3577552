"""Commands in running containers, and attaching to the process that runs as a container.

What belongs here: input, output and exit codes. What does not: the connection to the client (channels.py), pipes and
terminals (consoles.py), processes (processes.py). Everything runs on the loop thread of the server.
"""
import os
import uuid

from tornado import gen
from tornado.iostream import StreamClosedError

from .consoles import CHUNK, TERMINAL, Pipes, Terminal
from .processes import StartError

FOLLOW_SECONDS = 0.05  # interval at which the output of an attached container is read
SUCCESS = {'metadata': {}, 'status': 'Success'}
NOT_STARTED = ('error executing command in container: failed to exec in container: failed to start exec "%s": OCI '
               'runtime exec failed: exec failed: unable to start container process: %s')


@gen.coroutine
def execute(container, command, channels):
    """Run a command in a container, and give the client its output and its exit code."""
    pipes = Terminal(channels.wanted) if channels.tty else Pipes(channels.wanted)
    try:
        process = container.execute(command, pipes.files, {'TERM': TERMINAL} if channels.tty else {})
    finally:
        pipes.give_away()
    channels.on_input = pipes.write
    channels.on_input_end = pipes.end_input
    channels.on_resize = pipes.resize
    channels.on_close = process.kill
    try:
        yield process.started
    except StartError as e:
        channels.finish(failure('InternalError', 'Internal error occurred: ' + NOT_STARTED % (uuid.uuid4().hex * 2, e),
                                [{'message': str(e)}], code=500))
        pipes.close()
        return
    try:
        yield [copy(stream, name, channels) for name, stream in pipes.output.items()]
        code = yield process.ended
        channels.finish(result_of(command, code))
    except StreamClosedError:
        pass  # the client is gone
    finally:
        process.kill()
        pipes.close()


@gen.coroutine
def copy(stream, name, channels):
    """Send what a stream contains. Raise StreamClosedError if the client is gone."""
    while True:
        try:
            data = yield stream.read_bytes(CHUNK, partial=True)
        except StreamClosedError:
            return
        yield channels.send(name, data)


def result_of(command, code):
    if not code:
        return SUCCESS
    return failure('NonZeroExitCode', 'command terminated with non-zero exit code: error executing command %s, exit '
                   'code %d' % ('[%s]' % ' '.join(command), code), [{'reason': 'ExitCode', 'message': str(code)}])


def failure(reason, message, causes, code=None):
    status = {'metadata': {}, 'status': 'Failure', 'message': message, 'reason': reason,
              'details': {'causes': causes}}
    return dict(status, code=code) if code else status


@gen.coroutine
def attach(container, channels):
    """Give the client the further output of a container, until it ends, and give the container the client's input."""
    console, process, closed = container.console, container.process, []
    if console and 'stdin' in channels.wanted and container.spec.get('stdin'):
        channels.on_input = console.write
        channels.on_input_end = console.end_input if container.spec.get('stdinOnce') else lambda: None
        channels.on_resize = console.resize
    channels.on_close = lambda: closed.append(True)
    with open(container.log(container.restarts), 'rb') as output:
        output.seek(0, os.SEEK_END)
        try:
            running = True
            while running and not closed:
                running = not process.ended.done()
                data = output.read()
                if data and 'stdout' in channels.wanted:
                    yield channels.send('stdout', data)
                yield gen.sleep(FOLLOW_SECONDS)
        except StreamClosedError:
            return  # the client is gone
    if not closed:
        channels.finish(SUCCESS)
