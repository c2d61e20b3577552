"""What differs between releases of Kubernetes: since which release the cases expect an answer, and why."""

FIELD_VALIDATION = (1, 25)       # the feature ServerSideFieldValidation became beta
SERVICES_RETURNED = (1, 23)      # services are deleted like other kinds since their storage was rewritten
SERVICE_COLLECTIONS = (1, 23)    # for the same reason
NO_BETA_INGRESSES = (1, 22)      # the beta versions ended
INITIAL_EVENTS = (1, 27)         # the feature WatchList: lists in the form of a watch
DELETE_OPTIONS_CHECKED = (1, 30)  # it answered 500
LIST_VERSION_CHECKED = (1, 31)   # it answered 500, if the list was in its cache
WATCH_CONTINUE_FORBIDDEN = (1, 31)
NO_UID_ON_MISSING = (1, 31)      # it answered 409, as another uid than none was expected
