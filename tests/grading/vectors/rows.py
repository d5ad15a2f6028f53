"""All rows, in the order of the list."""

from tests.grading.vectors.files import FILES
from tests.grading.vectors.intake import INTAKE
from tests.grading.vectors.resources import RESOURCES
from tests.grading.vectors.right import RIGHT_CODE
from tests.grading.vectors.seen import SEEN
from tests.grading.vectors.structure import STRUCTURE
from tests.grading.vectors.tampering import TAMPERING
from tests.grading.vectors.trusted import TRUSTED
from tests.grading.vectors.values import row  # noqa: F401  (enters its rows)

COLLECTIONS = (STRUCTURE, FILES, TAMPERING, RESOURCES, SEEN, RIGHT_CODE, TRUSTED, INTAKE)
VECTORS = [vector for collection in COLLECTIONS for vector in collection.vectors]
RUNS = [run for collection in COLLECTIONS for run in collection.runs]
