"""Names for the arrays that the trainings pass around; shapes are said where they are used, as (page, class)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import numpy.typing

Floats = numpy.typing.NDArray[numpy.floating[Any]]
Integers = numpy.typing.NDArray[numpy.integer[Any]]
Booleans = numpy.typing.NDArray[numpy.bool_]
#: Rows of each stack's pages in their order.
Rows = Sequence[Sequence[int] | Integers]
