"""`kubespawner doctor`: goes through what breaks hubs, and says what is fine, what is broken, and what to do.

    findings        what a check finds
    configuration   settings, values, profiles: what is known without a cluster
    installation    versions, and what else is installed
    hub             where pods reach the hub
    rights          the rights that a configuration needs, and who has them
    routes          what KubeIngressProxy needs, if the hub has it
    objects         what pods name and need: namespaces, accounts, secrets, classes
    room            nodes that could take a pod, and quotas
    answers         what the API server says of the objects themselves
    with_pod        whether a pod reaches the hub, which is the only check that creates anything
    main            the table of checks, output

Each check is a function from plain values to findings, which may ask a `Cluster`. Main thread.
"""
