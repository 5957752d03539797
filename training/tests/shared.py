"""Where the shared fixtures lie: beside the repository, or in MAMBAIR_SHARED."""
import os
import unittest
from pathlib import Path

ROOT = Path(os.environ.get('MAMBAIR_SHARED', Path(__file__).resolve().parents[2].parent / 'shared'))


def needs(*parts):
    """Skip a test, by name, where the fixture is missing."""
    path = ROOT.joinpath(*parts)
    return unittest.skipUnless(path.exists(), f'{"/".join(parts)} is not here')
