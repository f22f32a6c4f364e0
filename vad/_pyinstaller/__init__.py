"""PyInstaller hooks. PyInstaller finds them through the entry point `hook-dirs` of the group `pyinstaller40`."""

from pathlib import Path

__all__ = ["get_hook_dirs"]


def get_hook_dirs() -> list[str]:
    """Return the folder of the hooks."""
    return [str(Path(__file__).parent)]
