"""Whose an object is: the labels and annotations that name its user and server. Pure, any thread."""

from typing import Any, Mapping, Optional, Tuple

USERNAME, SERVERNAME = 'hub.jupyter.org/username', 'hub.jupyter.org/servername'  # labels and annotations
PROFILE = 'hub.jupyter.org/profile'  # annotation of claims that are a server's with some profiles only


def owner_of(resource: Mapping[str, Any]) -> Tuple[Optional[str], str]:
    """Return whose a pod or claim (a dict) is by its annotations, as (name of the user, name of the server).

    The user is None if the object does not say; the default server's name is empty.
    """
    annotations = resource['metadata'].get('annotations') or {}
    return annotations.get(USERNAME), annotations.get(SERVERNAME, '')
