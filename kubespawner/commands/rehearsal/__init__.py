"""Finding out what a hub would create in Kubernetes if a certain server was started now, by starting it.

A rehearsal runs the start of the configured spawner class, with its profiles, hooks and templates, for a user in a
database in memory. The Kubernetes clients of the process talk to an API server in the same process: it records what is
created, says of each pod that it runs, and passes nothing on.

    recorder        that API server
    clients         has the Kubernetes clients of the process talk to it
    users           the user, the hub and the request, made of JupyterHub's own classes
    certificates    what JupyterHub makes for a server with internal TLS, without keys
    start           the steps of a start in JupyterHub's order, and which of them failed
    choices         the profiles and choices that there are to rehearse
    placeholders    takes the place of tokens, and of what is different each time

Everything but the recorder runs on the main thread.
"""
