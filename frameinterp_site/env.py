"""Typed readers of environment variables. A value that cannot be read stops the start with its name, never a guess."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def envstr(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; the default when it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def envbool(name: str, default: bool) -> bool:
    value = envstr(name).lower()
    if not value:
        return default
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f'{name}="{value}" is neither yes nor no. Use 1 or 0.')


def envint(name: str, default: int, minimum: int = 0) -> int:
    value = envstr(name, str(default))
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f'{name}="{value}" is not a whole number.') from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number} is too small. The least is {minimum}.")
    return number


def envfloat(name: str, default: float, minimum: float = 0.0) -> float:
    value = envstr(name, str(default))
    try:
        number = float(value)
    except ValueError as error:
        raise ImproperlyConfigured(f'{name}="{value}" is not a number.') from error
    if not number >= minimum:  # also refuses NaN
        raise ImproperlyConfigured(f"{name}={value} is too small. The least is {minimum}.")
    return number


def envlist(name: str, default: str = "") -> list[str]:
    """Comma-separated words."""
    return [word.strip() for word in envstr(name, default).split(",") if word.strip()]


def envpath(name: str, default: Path) -> Path:
    return Path(envstr(name, str(default))).expanduser().resolve()


def secret_key(path: Path) -> str:
    """The key kept in `path`, made on the first start and readable by its owner only (mode 0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(fresh, path)  # unlike rename, never replaces the key of a process that started at the same moment
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = path.read_text().strip()
    if len(key) < 50:
        raise ImproperlyConfigured(
            f"{path} does not hold a secret key of 50 or more characters. Delete it to get a new one."
        )
    return key


SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,  # seconds a writer waits for another
    "transaction_mode": "IMMEDIATE",  # take the write lock at BEGIN: no deadlock on upgrading a read
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728; "
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=2000;"
    ),
}


def database(url: str, data: Path) -> dict[str, Any]:
    """Django's settings of a database from "sqlite:///path" or "postgresql://user:password@host:port/name?sslmode=require".

    Empty means `db.sqlite3` in the data folder.
    """
    parts = urlsplit(url or f"sqlite:///{data / 'db.sqlite3'}")
    if parts.scheme == "sqlite":
        path = Path(unquote(parts.path.removeprefix("/")))
        name = path if path.is_absolute() else data / path
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": dict(SQLITE_OPTIONS)}
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            f'INBETWEEN_DATABASE: "{parts.scheme}" is not supported. Use postgresql:// or sqlite://.'
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def cache(kind: str, data: Path) -> dict[str, Any]:
    """Django's settings of a cache that all processes share: "file", "database" or "redis://..."."""
    if kind == "file":
        return {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(data / "cache")}
    if kind == "database":
        return {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "inbetween_cache"}
    if kind.startswith(("redis://", "rediss://", "unix://")):
        return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": kind}
    raise ImproperlyConfigured(f'INBETWEEN_CACHE="{kind}" is not a cache. Use file, database or redis://host:6379/0.')


class Mail(NamedTuple):
    """How mail is sent; no host: not at all."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    ssl: bool = False
    starttls: bool = False


def mail(url: str) -> Mail:
    """Of "smtp://user:password@host:587" (STARTTLS) or "smtps://user:password@host" (TLS)."""
    if not url:
        return Mail()
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ImproperlyConfigured("INBETWEEN_EMAIL must look like smtp://user:password@host:587 or smtps://host.")
    ssl = parts.scheme == "smtps"
    port = parts.port or (465 if ssl else 25)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Mail(parts.hostname, port, user, password, ssl, starttls=port == 587 and not ssl)
