"""The backend's schema editor, with unique indexes that queries can use and steps that may be made again."""

from __future__ import annotations

from typing import Any, Final

from django.db import DatabaseError
from django_mongodb_backend.schema import DatabaseSchemaEditor as MongoDatabaseSchemaEditor
from pymongo.errors import OperationFailure
from pymongo.operations import IndexModel

_INDEX_NOT_FOUND: Final = 27


class DatabaseSchemaEditor(MongoDatabaseSchemaEditor):
    """Leaves {"$type": …} out of the filters of unique indexes.

    The backend makes each of them partial by type, so that nulls may repeat as in SQL. MongoDB does not see that
    {"id": "…"} asks for what such an index holds, and reads the whole collection: for every session, every user and
    every primary key but _id. Where nothing can be null there is nothing to leave out; else {"$gte": ""} says the same
    of text, and MongoDB sees that. It is said of every column: of the second one alone, SecantusDB takes the index for
    a query that does not name the first, and finds nothing.

    No step here is part of a transaction. Of one that was killed half way the next migrate finds what it had made.
    """

    def create_model(self, model: Any) -> None:
        """Raises DatabaseError when there is such a collection with something in it."""
        if not self.collect_sql:
            made = self.get_collection(model._meta.db_table)
            if made.find_one() is not None:
                raise DatabaseError(f"The collection {model._meta.db_table} exists already and is not empty.")
            made.drop()
        super().create_model(model)

    def remove_index(self, model: Any, index: Any) -> None:
        try:
            super().remove_index(model, index)
        except OperationFailure as error:
            if error.code != _INDEX_NOT_FOUND:
                raise

    def add_index(
        self,
        model: Any,
        index: Any,
        *,
        field: Any = None,
        unique: bool = False,
        column_prefix: str = "",
        parent_model: Any = None,
    ) -> None:
        if not unique:
            super().add_index(model, index, field=field, column_prefix=column_prefix, parent_model=parent_model)
            return
        made = index.get_pymongo_index_model(
            model, schema_editor=self, field=field, unique=True, column_prefix=column_prefix
        )
        fields = [field] if field else [model._meta.get_field(name) for name in index.fields]
        self._make_readable(made, nullable=any(each.null for each in fields))
        self.get_collection((parent_model or model)._meta.db_table).create_indexes([made])

    @staticmethod
    def _make_readable(made: IndexModel, *, nullable: bool) -> None:
        document = made.document
        found = {}
        for column, condition in document.pop("partialFilterExpression").items():
            kept = dict(condition)
            if not nullable:
                kept.pop("$type", None)
            elif kept.get("$type") == "string":
                del kept["$type"]
                kept["$gte"] = ""
            if kept:
                found[column] = kept
        if found:
            document["partialFilterExpression"] = found
