import urllib.request
import xmlrpc.client

from .client import Client, equal, eventually, served


class Client(Client):
    def begin(self):
        served(self.address, 9001)
        self.supervisor = self.connection()
        eventually("all children run", lambda: {child[1] for child in self.children()} == {"RUNNING"})
        self.known = self.children()
        served(self.address, 80)
        self.goes_on()

    def connection(self):
        return xmlrpc.client.ServerProxy(f"http://{self.address}:9001/RPC2").supervisor

    def children(self):
        """Each one's name and state, and when it was started."""
        return [(child["name"], child["statename"], child["start"]) for child in self.supervisor.getAllProcessInfo()]

    def goes_on(self):
        equal(self.children(), self.known)
        equal(urllib.request.urlopen(f"http://{self.address}").read(), b"hello\n")
        length = len(self.supervisor.readProcessLog("beat", 0, 0))
        eventually("a beat", lambda: len(self.supervisor.readProcessLog("beat", 0, 0)) > length)

    def begins_again(self):
        # It hears of the end of a child, and starts it again.
        self.supervisor = self.connection()
        self.goes_on()
        self.supervisor.signalProcess("reader", "KILL")
        eventually("another child", lambda: self.children() != self.known and
                   {child[1] for child in self.children()} == {"RUNNING"})
        self.known = self.children()
