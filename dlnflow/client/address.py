"""Where the service is: an address that was checked, the key that goes with it, and the proxy on the way."""

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx2

from dlnflow.client.errors import InvalidRequest

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Address:
    """The `url` of a service."""

    url: httpx2.URL

    def __str__(self) -> str:
        return without_password(str(self.url)).rstrip("/")

    @property
    def loopback(self) -> bool:
        """Whether the service is on this machine."""
        return _is_loopback(self.url.host)

    @property
    def proxy(self) -> str | None:
        """The proxy that the environment puts before the service, without its password."""
        found = self._proxy()
        return found and without_password(found)

    def _proxy(self) -> str | None:
        if self.loopback or not self.url.host or proxy_bypass(self.url.netloc.decode()):
            return None
        proxies = getproxies()
        found = proxies.get(self.url.scheme) or proxies.get("all")
        return found and (found if "://" in found else f"http://{found}")

    def headers(self, key: str | None) -> dict[str, str]:
        """How the key goes with a request: beside a user and a password for something before the service, which the address may hold."""
        return {} if not key else {"X-API-Key": key} if self.url.userinfo else {"Authorization": f"Bearer {key}"}

    def options(self, key: str | None) -> dict[str, Any]:
        """How an httpx2 client connects: through the proxy of the environment that is on the way, whatever others there are.

        No proxy is on the way to this machine. Certificates are the environment's, and not looked for where none are needed.
        """
        proxy = self._proxy()
        encrypted = "https" in (self.url.scheme, str(proxy).partition(":")[0])
        verify = httpx2.create_ssl_context() if encrypted else False
        return {"base_url": self.url, "timeout": 60, "headers": self.headers(key), "trust_env": False, "proxy": proxy, "verify": verify}


def read_address(url: str | httpx2.URL | None) -> Address:
    """The address given, or that of DLNFLOW_URL, or DEFAULT_URL; raises InvalidRequest where there is no service at such a one."""
    given = str(url or os.environ.get("DLNFLOW_URL") or DEFAULT_URL).strip()
    try:
        found = httpx2.URL(given)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise _no_address(given, "it cannot be read" if "@" in given else str(error)) from None
    if found.scheme not in ("http", "https") or not found.host:
        raise _no_address(given, "it does not begin with http:// or https:// and the name of a machine")
    if ("%" in found.host and ":" not in found.host) or not 0 < (found.port or 80) < 65536:
        raise _no_address(given, "it has no such port or machine")
    if found.query or found.fragment:
        raise _no_address(given, "it ends in a query or a fragment")
    return Address(found)


def read_key(key: str | None) -> str | None:
    """The key given, or that of DLNFLOW_API_KEY, without blanks around it; raises InvalidRequest, which does not show it."""
    given = (key or os.environ.get("DLNFLOW_API_KEY") or "").strip("\ufeff \t\r\n")
    if not (given.isascii() and given.isprintable()) or " " in given:
        raise InvalidRequest(["api_key"], "api_key: it holds a blank, a line break or a letter that is not ASCII, which no key does")
    return given or None


def without_password(url: str) -> str:
    """A URL that may be shown."""
    return re.sub(r"^(.*//)?.*@", r"\1", url, flags=re.DOTALL)


def _no_address(given: str, reason: str) -> InvalidRequest:
    return InvalidRequest(["url"], f"url: {without_password(given)!r} is no address of a service: {reason}; {_remedy(given)}")


def _remedy(given: str) -> str:
    """What to write in place of `given`."""
    scheme, _, rest = without_password(given).rpartition("//")
    machine = rest.partition("/")[0]
    if machine.count(":") < 2 or "[" in machine:
        return "write, for example, http://127.0.0.1:8000"
    host, _, port = machine.rpartition(":")
    return f"write an IPv6 address in brackets, {scheme or 'http:'}//" + (f"[{host}]:{port}" if _is_ip(host) else f"[{machine}]")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        try:
            ip = ipaddress.ip_address(socket.inet_aton(name))  # 127.1
        except (OSError, ValueError):
            return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or ip.is_unspecified
