"""What more than one room's tests need."""

from pathlib import Path

import pytest
import tiny_model


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny .tflite that honours the artifact contract, its card beside it."""
    return tiny_model.write(tmp_path_factory.mktemp("model"))
