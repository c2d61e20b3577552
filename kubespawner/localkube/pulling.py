"""Image pulls. Nothing is downloaded, but there are the same events and pauses as on a real node.

What belongs here: the steps until the image of a container is available. What does not: what an image contains
(images.py). Everything runs on the loop thread of the server.
"""
import time

from tornado import gen

from .images import Image, InvalidImageName

LONGEST_BACKOFF = 300  # seconds


@gen.coroutine
def pull(container):
    """Pull the image of a container. Return the Image, or None if the pod was stopped before."""
    name, policy = container.spec['image'], container.spec['imagePullPolicy']
    try:
        image = Image(name)
    except InvalidImageName as e:
        yield fail_for_good(container, 'InvalidImageName', 'InspectFailed', str(e))
        return
    if image.kind not in ('missing', 'slow') and policy != 'Always':
        container.normal('Pulled', 'Container image "%s" already present on machine' % name)
    elif policy == 'Never':
        yield fail_for_good(container, 'ErrImageNeverPull', 'ErrImageNeverPull',
                            'Container image "%s" is not present with pull policy of Never' % name)
    elif image.kind == 'missing':
        yield fail_to_pull(container, name, image)
    else:
        container.normal('Pulling', 'Pulling image "%s"' % name)
        begin = time.monotonic()
        yield container.worker.pause(image.seconds)
        container.normal('Pulled', 'Successfully pulled image "%s" in %s' % (name, duration(time.monotonic() - begin)))
    raise gen.Return(image)


@gen.coroutine
def fail_for_good(container, reason, event, message):
    """Report why the image can never be pulled, and wait until the pod is stopped."""
    container.warning(event, message)
    container.warning('Failed', 'Error: ' + reason)
    container.wait(reason, message)
    while not container.worker.stopping:
        yield container.worker.pause(LONGEST_BACKOFF)


@gen.coroutine
def fail_to_pull(container, name, image):
    """Retry with back-off until the pod is stopped. The pull never succeeds."""
    delay = container.worker.kubelet.backoff
    while not container.worker.stopping:
        container.normal('Pulling', 'Pulling image "%s"' % name)
        container.warning('Failed', 'Failed to pull image "%s": %s' % (name, image.error))
        container.warning('Failed', 'Error: ErrImagePull')
        container.wait('ErrImagePull', image.error)
        yield container.worker.pause(min(1, delay))
        message = 'Back-off pulling image "%s"' % name
        container.normal('BackOff', message)
        container.warning('Failed', 'Error: ImagePullBackOff')
        container.wait('ImagePullBackOff', message)
        yield container.worker.pause(delay)
        delay = min(LONGEST_BACKOFF, delay * 2)


def duration(seconds):
    """Return seconds as Go writes them: 10s, 2m40s, 5.012s."""
    if seconds < 60:
        return '%gs' % round(seconds, 3)
    return '%dm%ds' % divmod(int(seconds), 60)
