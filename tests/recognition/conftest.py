"""One trained text model for all tests of recognition: it is the same each time."""

import time
from typing import NamedTuple

import pytest

from recognition.material import Material, gathered, shipped_kinds
from recognition.text_model import TextModel, train


class Shipped(NamedTuple):
    material: Material
    model: TextModel
    cpu_seconds: float


@pytest.fixture(scope="session")
def shipped() -> Shipped:
    material = gathered(shipped_kinds())
    began = time.process_time()
    model = TextModel(train(material))
    return Shipped(material, model, time.process_time() - began)
