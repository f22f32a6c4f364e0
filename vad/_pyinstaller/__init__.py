"""What PyInstaller needs to freeze a program that uses this package; it asks here of its own accord."""

from pathlib import Path

__all__ = ["get_hook_dirs"]


def get_hook_dirs() -> list[str]:
    """Where the hooks are: the entry point `hook-dirs` of the group `pyinstaller40`."""
    return [str(Path(__file__).parent)]
