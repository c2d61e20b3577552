"""What the demo prints while it runs, and the errors that end it."""

WELCOME = """
    http://127.0.0.1:%d/hub/login/ann?token=%s

Open this link to log in as ann, or replace ann in it to log in as another user.
You can also log in at http://127.0.0.1:%d with any username and the password %s

Keep both secret: whoever has one of them can run programs as you. Press Ctrl-C to stop the demo.
"""


class DemoError(Exception):
    """An error that a newcomer can correct; its message is one sentence."""


def say(text, *arguments):
    print(text % arguments if arguments else text, flush=True)
