"""Releases of Kubernetes: which one localkube answers as, and since which release an answer is as it is.

What belongs here: one line for each difference between the releases. What does not: how the answers differ. Constant;
any thread may read it. A release is a tuple such as (1, 36), so `release >= FIELD_VALIDATION` says whether it applies.

The fields of objects have their releases in fields.py.
"""
import re

TODAY = (1, 36)
OLDEST = (1, 20)

# Since which release ...
PLAIN_JSON_DECODER = (1, 23)     # wrong types are reported in the words of Go's encoding/json
INTERNAL_TRAFFIC_POLICY = (1, 22)  # services have an internalTrafficPolicy
IP_FAMILIES = (1, 23)            # services have ipFamilies, even with one family
SERVICE_COLLECTIONS = (1, 23)    # services can be deleted as a collection
FIELD_VALIDATION = (1, 25)       # unknown, duplicate and wrongly cased fields are reported
ENDPOINT_SLICES = (1, 21)        # there are endpoint slices in discovery.k8s.io/v1
SELF_SUBJECT_REVIEWS = (1, 28)   # users can ask who they are
SERVICES_RETURNED = (1, 23)      # the answer to the deletion of a service is the service
INITIAL_EVENTS = (1, 27)         # a watch can begin with the objects that exist, and say when it has sent them
DELETE_OPTIONS_CHECKED = (1, 30)  # a deletion with a body that is not DeleteOptions is 400, not 500
LIST_VERSION_CHECKED = (1, 31)   # a list with a resourceVersion that is not a number is 400, not 500
WATCH_CONTINUE_FORBIDDEN = (1, 31)  # a watch cannot continue a list
NO_UID_ON_MISSING = (1, 31)      # a PUT of a missing object with a uid is 404, not 409
TOO_LONG_REWORDED = (1, 32)      # "may not be more than", not "must have at most"

# Until which release, exclusive, ...
BETA_INGRESSES = (1, 22)         # ingresses have beta versions


def parse(text):
    """Return the release that `text`, such as '1.20' or 'v1.36.2', names. Raise ValueError for what is none."""
    match = re.match(r'v?1\.(\d+)(\.\d+)?\Z', text)
    if not match or not OLDEST <= (1, int(match.group(1))) <= TODAY:
        raise ValueError('localkube answers as Kubernetes %d.%d to %d.%d, and not as %s' % (OLDEST + TODAY + (text,)))
    return 1, int(match.group(1))


def version_info(release):
    """Return the answer to /version."""
    return {'major': str(release[0]), 'minor': str(release[1]), 'gitVersion': 'v%d.%d.2+localkube' % release,
            'gitCommit': '', 'gitTreeState': '', 'buildDate': '', 'goVersion': '', 'compiler': '',
            'platform': 'linux/amd64'}
