"""What the databases do differently, for tests: each difference has a name and a reason here."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection

ON_MONGODB = connection.vendor == "mongodb"

reads_sql = pytest.mark.skipif(ON_MONGODB, reason="It looks at SQL, and MongoDB is asked in none.")
nests_transactions = pytest.mark.skipif(
    ON_MONGODB, reason="MongoDB has no savepoints: a refused row ends the transaction that the test captures."
)
has_check_constraints = pytest.mark.skipif(ON_MONGODB, reason="MongoDB has no check constraints.")


def kept(moment: datetime | None) -> datetime | None:
    """A moment as the database keeps it: MongoDB to the millisecond, the others to the microsecond."""
    if moment is None or not ON_MONGODB:
        return moment
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
