"""The owner of an object: labels and annotations that name its user and server. Pure, any thread."""

from typing import Any, Mapping, Optional, Tuple

USERNAME, SERVERNAME = 'hub.jupyter.org/username', 'hub.jupyter.org/servername'  # labels and annotations


def owner_of(resource: Mapping[str, Any]) -> Tuple[Optional[str], str]:
    """Return the (username, servername) in the annotations of a pod or claim (a dict).

    The username is None if there is no such annotation. The name of the default server is empty.
    """
    annotations = resource['metadata'].get('annotations') or {}
    return annotations.get(USERNAME), annotations.get(SERVERNAME, '')
