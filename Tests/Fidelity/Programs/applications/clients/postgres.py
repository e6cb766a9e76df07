import subprocess

from .client import Client, Lines, eventually, served

PROGRAMS = "/usr/lib/postgresql/17/bin"


class Client(Client):
    def begin(self):
        served(self.address, 5432)
        eventually("it is ready", lambda: subprocess.run([f"{PROGRAMS}/pg_isready", "-q", "-h", self.address]).returncode == 0)
        self.count = 0
        self.session = self.connection()
        self.session.ask("CREATE TABLE numbers (n int);  SELECT 1;", "1")
        # A transaction stays open over each sleep.
        self.session.ask("BEGIN; INSERT INTO numbers VALUES (1); SELECT count(*) FROM numbers;", "1")

    def connection(self):
        return Lines(f"{PROGRAMS}/psql", "-h", self.address, "-U", "postgres", "-AtXq")

    def goes_on(self):
        self.count += 1
        self.session.ask("COMMIT; SELECT count(*) FROM numbers;", f"{self.count}")
        self.session.ask(f"BEGIN; INSERT INTO numbers VALUES ({self.count}); SELECT 2;", "2")

    def begins_again(self):
        # What is not committed is not seen.
        self.connection().ask("SELECT count(*) FROM numbers;", f"{self.count}")
        self.goes_on()
