"""The database engine: MongoDB's own backend, but with Django's transaction.atomic as a real transaction.

The backend leaves atomic without effect and offers its own; every app here, Django's too, uses Django's.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.backends.base.base import BaseDatabaseWrapper
from django_mongodb_backend.base import DatabaseWrapper as MongoDatabaseWrapper
from django_mongodb_backend.operations import DatabaseOperations as MongoDatabaseOperations
from pymongo.client_session import ClientSession

from triage_site.mongodb.schema import DatabaseSchemaEditor


class DatabaseOperations(MongoDatabaseOperations):
    compiler_module = "triage_site.mongodb.compiler"


class DatabaseWrapper(MongoDatabaseWrapper):
    """A transaction needs a replica set or a sharded cluster; on a lone server atomic stays without effect.

    There are no savepoints: an error inside a nested atomic rolls back the outermost one.
    """

    session: ClientSession | None
    ops_class = DatabaseOperations
    SchemaEditorClass = DatabaseSchemaEditor

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        BaseDatabaseWrapper.set_autocommit(self, autocommit, force_begin_transaction_with_broken_autocommit)

    def _set_autocommit(self, autocommit: bool) -> None:
        if not autocommit and self.features._supports_transactions:
            self.start_transaction_mongo()

    def _commit(self) -> None:
        if self.session is not None:
            try:
                with self.wrap_database_errors:
                    self.session.commit_transaction()
            finally:
                self._end_session()

    def _rollback(self) -> None:
        if self.session is not None:
            try:
                if self.session.in_transaction:
                    self.session.abort_transaction()
            finally:
                self._end_session()

    def _end_session(self) -> None:
        """Whatever came of the transaction: while a session is kept, no other transaction is begun."""
        session, self.session = self.session, None
        if session is not None:
            session.end_session()

    def on_commit(self, func: Callable[[], object], robust: bool = False) -> None:
        BaseDatabaseWrapper.on_commit(self, func, robust)
