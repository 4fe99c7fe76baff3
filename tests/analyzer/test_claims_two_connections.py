"""Several people ask for the next item at the same moment, each over a connection of their own."""

from __future__ import annotations

import json
from pathlib import Path

from tests.worker import Desk

PEOPLE, ITEMS = 4, 40
SCRIPT = f"""
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.contrib.auth.models import Group, User
from django.db import connections
from analyzer import claims
from analyzer.models import QueueItem
from feedback import intake
from feedback.forms import FeedbackForm

for number in range({ITEMS}):
    intake.receive(form=FeedbackForm({{"comment": f"Report number {{number}}"}}), source="test")
QueueItem.objects.update(stage="done")
names = [f"person-{{number}}" for number in range({PEOPLE})]
for name in names:
    User.objects.create_user(name, is_staff=True).groups.add(Group.objects.get(name="Reviewer"))
start = Barrier({PEOPLE})

def work(name):
    person, mine = User.objects.get(username=name), []
    start.wait()
    after = None
    while (item := claims.next_item(by=person, after=after)) is not None:
        mine.append(str(item.pk))
        after = item
    connections.close_all()
    return mine

with ThreadPoolExecutor({PEOPLE}) as pool:
    print(json.dumps(list(pool.map(work, names))))
"""


def test_no_item_is_handed_to_two_people_and_none_is_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    handed = json.loads(desk.manage("shell", "-v0", "-c", SCRIPT).splitlines()[-1])
    everything = [key for mine in handed for key in mine]
    assert len(everything) == ITEMS
    assert len(set(everything)) == ITEMS
