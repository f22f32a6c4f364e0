"""Recordings at URLs, such as s3://bucket/call.wav and https://host/call.mp3, read through fsspec.

fsspec has a file system for each kind of store, and takes keys and settings from its own configuration. Some need a
package of their own, such as s3fs. A URL may be a chain: zip://call.wav::s3://bucket/calls.zip is a file in an archive.
"""

import contextlib
import errno
import os
import re
from collections.abc import Collection, Iterable, Iterator
from typing import IO, Any, TypeGuard
from urllib.parse import unquote

from vad.errors import MissingDependencyError, VadError, install_hint

__all__ = [
    "find_urls",
    "is_url",
    "open_url",
    "read_url",
    "reason_text",
    "url_beside",
    "url_path",
    "url_states",
]

_URL = re.compile(r"(?:[a-z][a-z0-9+.-]+::)*[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # C:/ has one letter
# What tells that the content has changed, in the words of each store.
_VERSIONS = (
    "ETag", "etag", "Content-MD5", "Last-Modified", "LastModified", "last_modified", "updated", "mtime", "created",
    "CRC",
)  # fmt: skip
_EXTRA = ("fsspec", "aiohttp")  # the packages of the extra `remote`
_REQUESTS = 16  # at a time
# Answers of web servers
_ABSENT = (404, 410)
_REFUSED = (401, 403)
_BUSY = (408, 429)
_FAULTS = 500  # and above
_DETAILS = re.compile(r"\[[^]]*\] | \([^)]*\)$")  # of errors of the network: codes, addresses


def is_url(source: object) -> TypeGuard[str]:
    """Whether a recording is at a URL."""
    return isinstance(source, str) and _URL.match(source) is not None


def url_path(url: str) -> str:
    """Give the host or bucket of a URL and the path there, and in an archive; without schemes, passwords and queries.

    It can name a folder: Windows allows no `:` in front of a port.
    """
    _, path, chain = _parts(url)
    if _is_web(url):
        host, slash, path = path.partition("?")[0].partition("/")
        path = host.rpartition("@")[2].replace(":", "_") + slash + unquote(path)
    archive = chain.removeprefix("::")
    return f"{url_path(archive)}/{path}" if is_url(archive) else path


def url_beside(url: str, relative: str) -> str:
    """Give the URL of a file by its path relative to the folder of another file."""
    scheme, path, chain = _parts(url)
    return f"{scheme}{path[: path.rfind('/') + 1]}{relative}{chain}"


@contextlib.contextmanager
def open_url(url: str) -> Iterator[IO[bytes]]:
    """Open a URL as a binary stream.

    Raises:
        OSError: It cannot be opened.
        MissingDependencyError: A package of the extra `remote` is not installed.
    """
    with _os_errors():
        system, path = _system(url)
        opened = system.open(path, "rb")  # without its system, an archive would close
    with opened as file:
        if getattr(file, "size", 0) is None:  # it can only be read forwards, and says otherwise
            file.seekable = lambda: False
        yield file


def read_url(url: str) -> bytes:
    """Give the content of a URL. The errors are those of `open_url`."""
    with _os_errors():
        system, path = _system(url)
        content: bytes = system.cat_file(path)
    return content


def url_states(urls: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Give the bytes of each file, -1 if unknown, and a text that changes with its content. Left out: no answer."""
    opened = []
    for url in urls:  # in one thread: fsspec has another system, without these listings, for each thread
        with contextlib.suppress(OSError), _os_errors():
            opened.append((url, *_system(url)))
    if not opened:
        return {}
    from multiprocessing.pool import ThreadPool

    # Unlike an executor, it waits for no request of a server that does not answer, so Ctrl-C stops it.
    with ThreadPool(_REQUESTS) as pool:
        states = pool.map(lambda one: _state(*one[1:]), opened, chunksize=1)
        return {url: state for (url, *_), state in zip(opened, states, strict=True) if state is not None}


def _state(system: Any, path: str) -> tuple[int, str] | None:
    with contextlib.suppress(OSError), _os_errors():
        info = system.info(path)
        size = -1 if info["size"] is None else int(info["size"])
        return size, " ".join(str(info[name]) for name in _VERSIONS if info.get(name))
    return None


def find_urls(url: str, suffixes: Collection[str], *, recursive: bool) -> dict[str, str] | None:
    """Find the recordings in a folder, or those that match a pattern. Hidden files and folders are left out.

    Args:
        url: A pattern has a `*`. A folder of a web server ends with `/`.
        suffixes: Of recordings in a folder, in lower case.
        recursive: Look below the folder too.

    Returns:
        The URL of each by its path below the folder, or below the fixed part of the pattern; sorted. None if the URL is
        neither a folder nor a pattern.

    Raises:
        OSError: The folder cannot be read.
        MissingDependencyError: A package of the extra `remote` is not installed.
    """
    scheme, path, chain = _parts(url)
    fixed, star, _ = path.partition("*")
    folder = fixed[: fixed.rfind("/") + 1] if star else path + "/" * (not path.endswith("/") and path != "")
    # fsspec would take a web server that cannot be reached for an empty folder; not all stores know the option.
    options = {"on_error": "raise"} if _is_web(url) else {}
    with _os_errors():
        system, place = _system(url)
        if star:
            found = system.glob(place, detail=True, **options)
        elif url.endswith("/") or (not _is_web(url) and system.isdir(place)):
            found = system.find(place, maxdepth=None if recursive else 1, detail=True, **options)
        else:
            return None
        root = _system(f"{scheme}{folder}{chain}")[1]
    names = sorted(name[len(root) :].lstrip("/") for name, info in found.items() if info["type"] == "file")
    return {
        unquote(name) if _is_web(url) else name: f"{scheme}{folder}{name}{chain}"
        for name in names
        if not any(part.startswith(".") for part in name.split("/"))
        and (star or os.path.splitext(name)[1].lower() in suffixes)
    }


def _parts(url: str) -> tuple[str, str, str]:
    """Divide a URL: its scheme, its path there, and the rest of a chain."""
    scheme = _URL.match(url)
    assert scheme is not None
    path, chain, rest = url[scheme.end() :].partition("::")
    return scheme[0], path, chain + rest


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _system(url: str) -> tuple[Any, str]:
    """Give the file system of a URL, and the path in it."""
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(_URL.sub(lambda scheme: scheme[0].lower(), url, count=1))
    except ImportError as error:
        missing = getattr(error.__cause__ or error, "name", None) or ""
        package = missing.partition(".")[0]
        if package not in _EXTRA:  # the package of a store, which the message of fsspec names
            raise
        raise MissingDependencyError(f"{url} needs {package}. {install_hint('remote')}") from error
    return system, path


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """Make an OSError of everything: each store has errors of its own."""
    try:
        yield
    except VadError:
        raise
    except Exception as error:
        # fsspec says of all that a web server does not give that there is no file. Its cause is the reason.
        cause = error.__cause__ if isinstance(error, FileNotFoundError) else None
        is_of_web = isinstance(cause, ValueError | TimeoutError) or _is_of_aiohttp(cause)
        reason = cause if cause is not None and is_of_web else error
        if isinstance(reason, FileNotFoundError) or getattr(reason, "status", None) in _ABSENT:
            raise FileNotFoundError(errno.ENOENT, "there is no such file") from error
        if isinstance(reason, OSError) and not (isinstance(reason, TimeoutError) or _is_of_aiohttp(reason)):
            raise
        raise OSError(reason_text(reason)) from error


def reason_text(error: BaseException) -> str:
    """Say on one line why a store or a server does not give a file, and what to do; without the last full stop."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time. Try again later"
    if not _is_of_aiohttp(error):
        return " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if isinstance(error, ValueError):
        return "this URL is not valid. Correct it"
    status, network = getattr(error, "status", None), getattr(error.__cause__, "strerror", None)
    if network is not None:
        return f"no connection to the server ({_DETAILS.sub('', network)}). Check the URL and the network"
    if status is None:
        return "the server ended the connection. Try again later"
    if status in _BUSY or status >= _FAULTS:
        return f"the server answered with HTTP error {status}. Try again later"
    return f"the server answered with HTTP error {status}. Check the URL{' and your access' * (status in _REFUSED)}"


def _is_of_aiohttp(error: BaseException | None) -> bool:
    return type(error).__module__.startswith("aiohttp.")
