"""Apps with numbered rows as they are on MongoDB, where a primary key is an ObjectId; only mongodb:// uses them."""

from __future__ import annotations

from typing import Final

from axes.apps import AppConfig as AxesAppConfig
from django.contrib.auth.apps import AuthConfig
from django.contrib.contenttypes.apps import ContentTypesConfig
from django_q.apps import DjangoQConfig

from triage_site.admin_site import DeskAdminConfig

OBJECT_ID: Final = "django_mongodb_backend.fields.ObjectIdAutoField"


class MongoAdminConfig(DeskAdminConfig):
    default_auto_field = OBJECT_ID


class MongoAuthConfig(AuthConfig):
    default_auto_field = OBJECT_ID


class MongoContentTypesConfig(ContentTypesConfig):
    default_auto_field = OBJECT_ID


class MongoQConfig(DjangoQConfig):
    default_auto_field = OBJECT_ID


class MongoAxesConfig(AxesAppConfig):
    default_auto_field = OBJECT_ID
