"""All rows, in the order of the list."""

from tests.grading.vectors.files import FILES
from tests.grading.vectors.structure import STRUCTURE
from tests.grading.vectors.tampering import TAMPERING

COLLECTIONS = (STRUCTURE, FILES, TAMPERING)
VECTORS = [vector for collection in COLLECTIONS for vector in collection.vectors]
RUNS = [run for collection in COLLECTIONS for run in collection.runs]
