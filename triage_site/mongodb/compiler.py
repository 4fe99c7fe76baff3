"""The backend's compilers with two gaps closed."""

from __future__ import annotations

from typing import Any

from django_mongodb_backend import compiler

SQLInsertCompiler = compiler.SQLInsertCompiler
SQLDeleteCompiler = compiler.SQLDeleteCompiler
SQLUpdateCompiler = compiler.SQLUpdateCompiler


class SQLCompiler(compiler.SQLCompiler):
    """Names the path of every projected field, which means the same to MongoDB.

    SecantusDB answers {"author": {"name": 1}} with the number 1, and {"author": {"name": "$author.name"}} rightly.
    """

    def get_project_fields(self, columns: Any = None, ordering: Any = None, force_expression: bool = True) -> Any:
        return super().get_project_fields(columns, ordering, force_expression=True)


class SQLAggregateCompiler(compiler.SQLAggregateCompiler):
    """Over no rows a sum is missing from the answer, where SQL says NULL; the backend itself stops with a KeyError."""

    def _make_result(self, result: dict[str, Any], columns: Any = None) -> list[Any]:
        return [result.get(name) for name in self.query.annotation_select]
