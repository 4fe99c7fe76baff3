"""The index of words that search reads, kept by triggers: whatever writes feedback, the index follows it.

SQLite: an FTS5 table without content of its own, and a table that gives each feedback the number which FTS5 wants (its
own rowid will not do, since VACUUM may change it). PostgreSQL: a table of tsvectors in the configuration simple, with a
GIN index; neither an extension nor a rewrite of the feedback table is needed. MongoDB has none, see search.

It is made after every migrate, where it is not there as it should be, and not by a migration: a later migration that
rebuilds the feedback table on SQLite drops the triggers, and this puts them back and fills the index anew.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from feedback import search

_TABLE: Final = "feedback_feedback"
# Any number that nothing else locks.
_LOCK: Final = 7_246_519_031
_TRIGGERS: Final = ("feedback_search_insert", "feedback_search_update", "feedback_search_delete")

_SQLITE: Final = (
    """CREATE TABLE IF NOT EXISTS feedback_search_key
       (number INTEGER PRIMARY KEY, feedback_id CHAR(32) NOT NULL UNIQUE)""",
    """CREATE VIRTUAL TABLE IF NOT EXISTS feedback_search
       USING fts5(comment, page, content='', tokenize="unicode61 remove_diacritics 2")""",
    """CREATE TRIGGER IF NOT EXISTS feedback_search_insert AFTER INSERT ON feedback_feedback BEGIN
           INSERT INTO feedback_search_key (feedback_id) VALUES (new.id);
           INSERT INTO feedback_search (rowid, comment, page)
               SELECT number, new.comment, new.page FROM feedback_search_key WHERE feedback_id = new.id;
       END""",
    # FTS5 without content must be told what it is to forget.
    """CREATE TRIGGER IF NOT EXISTS feedback_search_update AFTER UPDATE OF comment, page ON feedback_feedback
       WHEN old.comment IS NOT new.comment OR old.page IS NOT new.page BEGIN
           INSERT INTO feedback_search (feedback_search, rowid, comment, page)
               SELECT 'delete', number, old.comment, old.page FROM feedback_search_key WHERE feedback_id = old.id;
           INSERT INTO feedback_search (rowid, comment, page)
               SELECT number, new.comment, new.page FROM feedback_search_key WHERE feedback_id = new.id;
       END""",
    """CREATE TRIGGER IF NOT EXISTS feedback_search_delete AFTER DELETE ON feedback_feedback BEGIN
           INSERT INTO feedback_search (feedback_search, rowid, comment, page)
               SELECT 'delete', number, old.comment, old.page FROM feedback_search_key WHERE feedback_id = old.id;
           DELETE FROM feedback_search_key WHERE feedback_id = old.id;
       END""",
    "INSERT INTO feedback_search (feedback_search) VALUES ('delete-all')",
    "DELETE FROM feedback_search_key",
    "INSERT INTO feedback_search_key (feedback_id) SELECT id FROM feedback_feedback ORDER BY id",
    """INSERT INTO feedback_search (rowid, comment, page)
       SELECT number, comment, page FROM feedback_search_key
       JOIN feedback_feedback ON feedback_feedback.id = feedback_search_key.feedback_id ORDER BY number""",
)

_POSTGRES: Final = (
    "CREATE TABLE IF NOT EXISTS feedback_search (feedback_id uuid PRIMARY KEY, words tsvector NOT NULL)",
    # Plain ASCII, which most comments are, needs the short table only.
    """CREATE OR REPLACE FUNCTION feedback_search_words(said text) RETURNS tsvector
       LANGUAGE sql IMMUTABLE AS $$
           SELECT to_tsvector('simple', translate(
               lower(said),
               CASE WHEN octet_length(said) = length(said) THEN {ascii} ELSE {from} END,
               CASE WHEN octet_length(said) = length(said) THEN {spaces} ELSE {to} END
           ))
       $$""",
    """CREATE OR REPLACE FUNCTION feedback_search_follow() RETURNS trigger
       LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
       BEGIN
           IF TG_OP = 'TRUNCATE' THEN
               TRUNCATE feedback_search;
           ELSIF TG_OP = 'DELETE' THEN
               DELETE FROM feedback_search WHERE feedback_id = OLD.id;
           ELSIF TG_OP = 'INSERT' OR (OLD.comment, OLD.page) IS DISTINCT FROM (NEW.comment, NEW.page) THEN
               INSERT INTO feedback_search VALUES (NEW.id, feedback_search_words(NEW.comment || ' ' || NEW.page))
                   ON CONFLICT (feedback_id) DO UPDATE SET words = EXCLUDED.words;
           END IF;
           RETURN NULL;
       END $$""",
    """CREATE OR REPLACE TRIGGER feedback_search_insert AFTER INSERT ON feedback_feedback
       FOR EACH ROW EXECUTE FUNCTION feedback_search_follow()""",
    # Not UPDATE OF comment, page: PostgreSQL lets no migration change the type of a column that a trigger names.
    """CREATE OR REPLACE TRIGGER feedback_search_update AFTER UPDATE ON feedback_feedback
       FOR EACH ROW EXECUTE FUNCTION feedback_search_follow()""",
    """CREATE OR REPLACE TRIGGER feedback_search_delete AFTER DELETE ON feedback_feedback
       FOR EACH ROW EXECUTE FUNCTION feedback_search_follow()""",
    """CREATE OR REPLACE TRIGGER feedback_search_truncate AFTER TRUNCATE ON feedback_feedback
       FOR EACH STATEMENT EXECUTE FUNCTION feedback_search_follow()""",
    "DROP INDEX IF EXISTS feedback_search_words_gin",
    "TRUNCATE feedback_search",
    """INSERT INTO feedback_search
       SELECT id, feedback_search_words(comment || ' ' || page) FROM feedback_feedback""",
    # Last, since an index is made of many rows at once faster than row by row.
    "CREATE INDEX feedback_search_words_gin ON feedback_search USING gin (words)",
    "ANALYZE feedback_search",
)


def ensure(using: str = "default", **kwargs: Any) -> bool:
    """Make the index and fill it where it is not there as it should be; True when it did. Whole or not at all.

    A million comments take a minute or two, during which nothing else can write; see docs/scale.md.
    """
    connection = connections[using]
    if connection.vendor not in ("sqlite", "postgresql") or _TABLE not in connection.introspection.table_names():
        return False
    if _is_there(connection):
        return False
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Two migrations at the same moment: the second one waits, and finds it made.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if _is_there(connection):
            return False
        for statement in _statements(connection):
            cursor.execute(statement)
    return True


def scrub(using: str = "default") -> None:
    """Write the index of SQLite anew, so that no page of it holds a word of what was erased.

    FTS5 only notes that a row is gone until it next merges what it wrote. Seconds for a million comments.
    """
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO feedback_search (feedback_search) VALUES ('optimize')")


def _is_there(connection: BaseDatabaseWrapper) -> bool:
    """Whether all of the triggers are; the tables were made in the transaction that made them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [_TABLE])
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass", [_TABLE])
        return {name for (name,) in cursor.fetchall()} >= {*_TRIGGERS}


def _statements(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor == "sqlite":
        return list(_SQLITE)
    quoted = {
        "{ascii}": search.FOLD_ASCII,
        "{spaces}": " " * len(search.FOLD_ASCII),
        "{from}": search.FOLD_FROM,
        "{to}": search.FOLD_TO,
    }
    made = []
    for statement in _POSTGRES:
        for name, value in quoted.items():
            statement = statement.replace(name, "'" + value.replace("'", "''") + "'")
        made.append(statement)
    return made
