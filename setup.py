"""What pyproject.toml cannot say: every package of vad/, and models/ as one of them."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["vad", "vad.*"]), "vad.models"],
    package_dir={"vad.models": "models"},
)
