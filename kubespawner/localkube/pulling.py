"""Images on their way to the node, as far as there is a way: nothing is downloaded, but the events and waits are real.

What belongs here: what a container goes through until its image is there. What does not: what an image's name stands
for (images.py). Everything runs on the loop thread of the server.
"""
import time

from tornado import gen

from .images import Image, InvalidImageName

LONGEST_BACKOFF = 300  # seconds


@gen.coroutine
def pull(container):
    """Return the Image of a container when it is there; None when the pod is stopped before."""
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
    """Say why there will be no image, and wait for somebody to delete the pod."""
    container.warning(event, message)
    container.warning('Failed', 'Error: ' + reason)
    container.wait(reason, message)
    while not container.worker.stopping:
        yield container.worker.pause(LONGEST_BACKOFF)


@gen.coroutine
def fail_to_pull(container, name, image):
    """Try again and again, with back-off, as the image never comes."""
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
