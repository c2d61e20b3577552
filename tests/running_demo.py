"""The demo as a process, as a newcomer starts it. Needs no test framework, so that .ci/demo-check can use it, too."""
import re
import subprocess
from urllib.parse import quote

LINK = re.compile(r'\s+(?P<url>http://127\.0\.0\.1:\d+)/hub/login/ann\?token=(?P<token>\w+)$')
PASSWORD = re.compile(r'.* password (?P<password>[a-z2-9-]+)$')
KUBECONFIG = re.compile(r'\s+export KUBECONFIG=(?P<kubeconfig>/.*)$')


class RunningDemo:
    """A demo that runs.

    command (list of str): how it is started.
    url, token, password, kubeconfig (str): what it prints. printed (list of str): all its lines so far.
    """

    def __init__(self, command):
        self.printed = []
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True)
        for line in self.process.stdout:
            self.printed.append(line)
            for found in filter(None, [expression.match(line) for expression in (KUBECONFIG, LINK, PASSWORD)]):
                vars(self).update(found.groupdict())
            if hasattr(self, 'password'):
                return
        raise RuntimeError('the demo ended with code %d:\n%s' % (self.process.wait(), ''.join(self.printed)))

    def link(self, username):
        """Return the printed link for a user."""
        return '%s/hub/login/%s?token=%s' % (self.url, quote(username, safe=''), self.token)
