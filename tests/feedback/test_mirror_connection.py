"""A website's database that cannot be used costs one clear line, without the password."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pymongo import MongoClient
from pymongo.collection import Collection
from pytest_django import Settings
from secantus import SecantusDBServer

from feedback import mirror, website
from feedback.models import Feedback
from tests.mongo_server import mirror_url

pytestmark = pytest.mark.django_db


def refusal(settings: Settings, url: str) -> str:
    settings.MONGO_MIRROR_URL = url
    with pytest.raises(CommandError) as caught:
        call_command("sync_feedback", stdout=io.StringIO())
    text = str(caught.value)
    assert "\n" not in text
    assert "hunter2" not in text
    return text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "MONGO_MIRROR_URL is not set"),
        ("mongodb://jo:hunter2@127.0.0.1/", "must be mongodb://host/database?collection=name"),
        ("mongodb://jo:hunter2@127.0.0.1/shop", "must be mongodb://host/database?collection=name"),
        ("postgres://jo:hunter2@127.0.0.1/shop?collection=x", "must be mongodb://"),
        ("mongodb://jo:hunter2@127.0.0.1:port/shop?collection=x", "fails: Port"),
        ("mongodb://jo:hunter2@127.0.0.1:1/shop?collection=x&serverSelectionTimeoutMS=200", "does not answer"),
    ],
)
def test_an_address_that_leads_nowhere(settings: Settings, url: str, words: str) -> None:
    assert words in refusal(settings, url)


def test_a_wrong_password(mongo_uri: str, settings: Settings) -> None:
    url = mirror_url(mongo_uri, "shop").replace("mongodb://", "mongodb://jo:hunter2@")
    assert "refuses the name or password" in refusal(settings, url)


def test_a_wrong_collection_is_answered_with_those_that_are_there(
    shop: Collection[dict[str, Any]], settings: Settings
) -> None:
    url = settings.MONGO_MIRROR_URL.replace("collection=feedback", "collection=feedbacks")
    assert "has no collection 'feedbacks'; it has feedback." in refusal(settings, url)


def test_the_collection_may_be_named_by_its_own_variable(shop: Collection[dict[str, Any]], settings: Settings) -> None:
    settings.MONGO_MIRROR_URL = settings.MONGO_MIRROR_URL.replace("collection=feedback", "")
    settings.MONGO_MIRROR_COLLECTION = "feedback"
    assert website.connect().source == f"mongo:{shop.full_name}"


@pytest.fixture
def standalone() -> Iterator[str]:
    """A server without a replica set, which has no change streams."""
    server = SecantusDBServer(host="127.0.0.1", port=0, storage_path=":memory:", replica_set_name=None)
    server.start()
    yield f"mongodb://127.0.0.1:{server.port}/"
    server.stop()


def test_without_a_replica_set_watching_looks_again(standalone: str, settings: Settings) -> None:
    settings.MONGO_MIRROR_URL = mirror_url(standalone, "shop")
    settings.MONGO_MIRROR_POLL_SECONDS = 0.01
    client: MongoClient[dict[str, Any]] = MongoClient(standalone)
    client.shop.feedback.insert_one({"comment": "The first one"})
    following = mirror.follow(website=website.connect())
    assert next(following).stored == 1
    client.shop.feedback.insert_one({"comment": "The second one"})
    assert next(following).stored == 1
    assert Feedback.objects.count() == 2
    following.close()
    client.close()
