"""The backend's compilers with three gaps closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django_mongodb_backend import compiler

SQLInsertCompiler = compiler.SQLInsertCompiler
SQLDeleteCompiler = compiler.SQLDeleteCompiler
SQLUpdateCompiler = compiler.SQLUpdateCompiler


class SQLCompiler(compiler.SQLCompiler):
    """Names the path of every projected field, which means the same to MongoDB.

    SecantusDB answers {"author": {"name": 1}} with the number 1, and {"author": {"name": "$author.name"}} rightly.
    Where such a field is added it takes {"author": {"name": …}} for the whole author, and {"author.name": …} rightly.

    Rows are chosen before others are joined to them, as far as their own columns say which. The backend joins all of
    them first; MongoDB's optimizer exchanges the two (SERVER-20506, SERVER-21612), SecantusDB has none.
    """

    def build_query(self, columns: Any = None) -> Any:
        query = super().build_query(columns)
        added: dict[str, Any] = {}
        for name, value in (query.extra_fields or {}).items():
            joined = name in self.query.alias_map and isinstance(value, dict)
            added |= {f"{name}.{field}": each for field, each in value.items()} if joined else {name: value}
        query.extra_fields = added
        if query.lookup_pipeline and (own := _conditions_without(_joined(query), query.match_mql)):
            query.lookup_pipeline = [{"$match": {"$and": own}}, *query.lookup_pipeline]
        return query

    def get_project_fields(self, columns: Any = None, ordering: Any = None, force_expression: bool = True) -> Any:
        return super().get_project_fields(columns, ordering, force_expression=True)


class SQLAggregateCompiler(compiler.SQLAggregateCompiler):
    """Over no rows a sum is missing from the answer, where SQL says NULL; the backend itself stops with a KeyError."""

    def _make_result(self, result: dict[str, Any], columns: Any = None) -> list[Any]:
        return [result.get(name) for name in self.query.annotation_select]


def _joined(query: Any) -> set[str]:
    """The names under which joined rows and subqueries stand."""
    stages = [stage["$lookup"] for stage in query.lookup_pipeline if "$lookup" in stage]
    return {lookup["as"] for lookup in [*stages, *(each.subquery_lookup for each in query.subqueries or ())]}


def _conditions_without(joined: set[str], match: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the conditions that must all hold, those that mention nothing joined."""
    conditions = match["$and"] if set(match) == {"$and"} else [match] if match else []
    return [each for each in conditions if joined.isdisjoint(_mentioned(each))]


def _mentioned(condition: Any) -> Iterator[str]:
    """The first names of all paths in it; a text that looks like a path counts as one."""
    if isinstance(condition, dict):
        for key, value in condition.items():
            if not key.startswith("$"):
                yield key.partition(".")[0]
            yield from _mentioned(value)
    elif isinstance(condition, list | tuple):
        for each in condition:
            yield from _mentioned(each)
    elif isinstance(condition, str) and condition.startswith("$"):
        yield condition.lstrip("$").partition(".")[0]
