"""Where the portal listens, and whether it can."""

from __future__ import annotations

import errno
import socket
from contextlib import closing
from dataclasses import dataclass


class AddressError(Exception):
    """The portal cannot listen there; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    @classmethod
    def parse(cls, host: str, port: str) -> Address:
        if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise AddressError(f'PORT="{port}" is not a port. Give a number from 1 to 65535, for example PORT=8000.')
        return cls(host.strip("[]"), int(port))

    @property
    def bind(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{Address(self.local_host, self.port).bind}/"

    @property
    def local_host(self) -> str:
        """An address to reach it from this machine."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)

    @property
    def is_public(self) -> bool:
        return self.local_host not in ("127.0.0.1", "::1", "localhost") or self.local_host != self.host

    def check_free(self) -> None:
        """Raises AddressError in words when the port is taken, not allowed, or the host is not of this machine."""
        reason = self._refusal()
        if reason == errno.EADDRINUSE:
            raise AddressError(
                f"Port {self.port} is taken by another program. Choose another one: make up PORT={self._free_port()}"
            )
        if reason == errno.EACCES:
            raise AddressError(
                f"Port {self.port} needs an administrator's rights. Choose one above 1023: make up PORT=8000"
            )
        if reason:
            raise AddressError(
                f'HOST="{self.host}" is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all of them.'
            )

    def _refusal(self) -> int:
        """0, or the errno of why nothing can listen here."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with closing(socket.socket(family, kind, protocol)) as server:
                server.setsockopt(
                    socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
                )  # as gunicorn does: TIME_WAIT is no obstacle
                server.bind(address)
                server.listen(1)
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
        return 0

    def _free_port(self) -> int:
        candidates = (Address(self.host, port) for port in range(self.port + 1, min(self.port + 100, 65535)))
        return next((address.port for address in candidates if not address._refusal()), 8000)
