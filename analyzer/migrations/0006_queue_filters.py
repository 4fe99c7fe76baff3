import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When

CHUNK = 1_000
# Below this a field said "not sure", where its version did not say otherwise.
DEFAULT_THRESHOLD = 0.5


class AddColumn(migrations.AddField):
    """AddField that leaves SQLite's table where it is; Django would copy it, with every index, once for each field."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        connection = schema_editor.connection
        if connection.vendor != 'sqlite':
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.model_name)
        field, quote = model._meta.get_field(self.name), connection.ops.quote_name
        default = '0' if isinstance(field, models.BooleanField) else "''"
        schema_editor.execute(
            f'ALTER TABLE {quote(model._meta.db_table)} ADD COLUMN {quote(field.column)} '
            f'{field.db_type(connection)} NOT NULL DEFAULT {default}'
        )


def fill(apps, schema_editor):
    """What the new columns say of the items that are there: one UPDATE, or item by item where none reads other tables."""
    using = schema_editor.connection.alias
    items = apps.get_model('analyzer', 'QueueItem').objects.using(using)
    thresholds = dict(apps.get_model('analyzer', 'AnalyzerVersion').objects.using(using).values_list('pk', 'thresholds'))
    if schema_editor.connection.vendor == 'mongodb':
        return fill_one_by_one(items, thresholds)
    feedback = apps.get_model('feedback', 'Feedback').objects.filter(pk=OuterRef('pk'))
    analysis = apps.get_model('analyzer', 'Analysis').objects.filter(pk=OuterRef('analysis'))
    review = apps.get_model('analyzer', 'Review').objects.filter(pk=OuterRef('review'))
    items.update(
        type=Subquery(feedback.values('type')),
        rating=Subquery(feedback.values('rating')),
        held=Subquery(feedback.values(held=yes(Q(compliance='hold')))),
    )
    unsure = Q(pk__in=())
    for version, limits in thresholds.items():
        of_category = Q(category_confidence__lt=limits.get('category', DEFAULT_THRESHOLD))
        of_severity = Q(severity_confidence__lt=limits.get('severity', DEFAULT_THRESHOLD))
        unsure |= Q(of_category | of_severity, version=version)
    items.filter(analysis__isnull=False).update(
        needs_person=Subquery(analysis.values('needs_person')),
        fallback=Subquery(analysis.values(answered=yes(~Q(fallback_reason='')))),
        unsure=Subquery(analysis.values(unsure=yes(unsure))),
    )
    items.filter(review__isnull=False).update(
        provenance=Subquery(review.values('provenance')), decided_by=Subquery(review.values('reviewer'))
    )
    if schema_editor.connection.vendor == 'postgresql':
        # Else the foreign keys are checked at the end, and until then no index can be made.
        schema_editor.execute('SET CONSTRAINTS ALL IMMEDIATE')


def yes(condition):
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=models.BooleanField())


def fill_one_by_one(items, thresholds):
    related = items.select_related('feedback', 'analysis', 'review').defer('analysis__trace')
    for item in related.iterator(chunk_size=CHUNK):
        said, analysis, review = item.feedback, item.analysis, item.review
        values = {'type': said.type, 'rating': said.rating, 'held': said.compliance == 'hold'}
        if analysis is not None:
            limits = thresholds[analysis.version_id]
            values |= {
                'needs_person': analysis.needs_person,
                'fallback': analysis.fallback_reason != '',
                'unsure': analysis.category_confidence < limits.get('category', DEFAULT_THRESHOLD)
                or analysis.severity_confidence < limits.get('severity', DEFAULT_THRESHOLD),
            }
        if review is not None:
            values |= {'provenance': review.provenance, 'decided_by': review.reviewer_id}
        items.filter(pk=item.pk).update(**values)


class Migration(migrations.Migration):

    dependencies = [
        ('analyzer', '0005_adapter'),
        ('feedback', '0002_mirror'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='queueitem',
            name='analyzer_queue',
        ),
        AddColumn(
            model_name='queueitem',
            name='type',
            field=models.CharField(blank=True, choices=[('bug', 'Something is broken'), ('technical_question', 'A technical question'), ('feature', 'An idea or a wish'), ('general', 'General feedback'), ('research', 'Research'), ('commercial', 'A business matter')], max_length=20),
        ),
        migrations.AddField(
            model_name='queueitem',
            name='rating',
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        AddColumn(
            model_name='queueitem',
            name='held',
            field=models.BooleanField(default=False, help_text='Governance held it for a person.'),
        ),
        AddColumn(
            model_name='queueitem',
            name='needs_person',
            field=models.BooleanField(default=False, help_text="The suggested action is only a person's to decide."),
        ),
        AddColumn(
            model_name='queueitem',
            name='fallback',
            field=models.BooleanField(default=False, help_text='Another engine answered than the one that was asked.'),
        ),
        AddColumn(
            model_name='queueitem',
            name='unsure',
            field=models.BooleanField(default=False, help_text='The machine is not sure of the category or the severity.'),
        ),
        AddColumn(
            model_name='queueitem',
            name='provenance',
            field=models.CharField(blank=True, choices=[('validated', 'validated'), ('overridden', 'overridden'), ('bulk', 'accepted in bulk'), ('imported', 'imported')], max_length=12),
        ),
        migrations.AddField(
            model_name='queueitem',
            name='decided_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='queueitem',
            index=models.Index(fields=['status', 'rank', 'received_at', 'synthetic', 'severity', 'type', 'rating', 'flagged', 'held', 'needs_person', 'fallback', 'unsure', 'provenance', 'decided_by', 'outcome'], name='analyzer_queue'),
        ),
        migrations.AddIndex(
            model_name='queueitem',
            index=models.Index(fields=['rank'], name='analyzer_queue_all'),
        ),
    ]
