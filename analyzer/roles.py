"""Who may do what: three groups, made of Django's own permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Group -> codenames. Deciding is adding a Review; activating is changing an AnalyzerVersion.
_SEE: Final = (
    "feedback.view_feedback",
    "analyzer.view_queueitem",
    "analyzer.view_analysis",
    "analyzer.view_review",
    "analyzer.view_analyzerversion",
    "training.view_trainingrun",
)
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "Viewer": _SEE,
    "Reviewer": (*_SEE, "analyzer.add_review", "analyzer.change_queueitem"),
    "Manager": (
        *_SEE,
        "analyzer.add_review",
        "analyzer.adjudicate_review",
        "analyzer.share_savedview",
        "analyzer.change_queueitem",
        "analyzer.change_analyzerversion",
    ),
}
DECIDE: Final = "analyzer.add_review"
ADJUDICATE: Final = "analyzer.adjudicate_review"
ACTIVATE: Final = "analyzer.change_analyzerversion"


def require_reviewer(by: User) -> None:
    """Raises PermissionDenied for somebody who may not decide; every act on an item begins with it."""
    if not by.has_perm(DECIDE):
        raise PermissionDenied("Only a reviewer may decide.")


def require_adjudicator(by: User) -> None:
    """Raises PermissionDenied for somebody who may not settle what others disagree about."""
    if not by.has_perm(ADJUDICATE):
        raise PermissionDenied("Only a manager may settle a dispute.")


def create_roles(**kwargs: Any) -> None:
    """Create the groups after a migration and give them what they lack; rights an administrator added stay."""
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    using = kwargs.get("using", "default")
    for label in ("feedback", "analyzer", "training"):
        # Permissions are made by another post_migrate receiver, which may not have run for every app yet.
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    for role, names in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        codenames = [name.split(".")[1] for name in names]
        group.permissions.add(*Permission.objects.using(using).filter(codename__in=codenames))
