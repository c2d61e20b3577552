"""The owner of an object: labels and annotations that name its user and server. Pure, any thread."""

from typing import Any, Mapping, Optional, Tuple

USERNAME, SERVERNAME = 'hub.jupyter.org/username', 'hub.jupyter.org/servername'  # labels and annotations
PROFILE = 'hub.jupyter.org/profile'  # annotation of claims that are a server's with some profiles only


def owner_of(resource: Mapping[str, Any]) -> Tuple[Optional[str], str]:
    """Return the (username, servername) in the annotations of a pod or claim (a dict).

    The username is None if there is no such annotation. The name of the default server is empty.
    """
    annotations = resource['metadata'].get('annotations') or {}
    return annotations.get(USERNAME), annotations.get(SERVERNAME, '')


def is_of_another_hub(resource: Mapping[str, Any], ours: Mapping[str, str]) -> bool:
    """Return whether the labels of an object (a dict) say that it is of another hub.

    ours (mapping): `common_labels` of this hub. An object without such labels can be of any hub.
    """
    labels = resource['metadata'].get('labels') or {}
    return any(key in ours and labels.get(key, ours[key]) != ours[key] for key in ('heritage', 'app'))
