"""`--connect-to`: the operator sends what is meant for one host and port to another."""

from __future__ import annotations

from storage.frozen import frozen


@frozen
class ConnectTo:
    """One `--connect-to HOST1:PORT1:HOST2:PORT2`: None stands for any, or for the same."""

    host: str | None
    port: int | None
    to_host: str | None
    to_port: int | None

    def matches(self, host: str, port: int) -> bool:
        """Whether a request to this host and port goes elsewhere."""
        return self.host in {None, host} and self.port in {None, port}
