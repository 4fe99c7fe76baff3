from importlib import import_module

from django.db import migrations, models

CHUNK = 500
# SQLite's table stays where it is.
AddColumn = import_module('analyzer.migrations.0006_queue_filters').AddColumn


def fill(apps, schema_editor):
    """Which of the decisions that count were made before what was said was edited."""
    items = apps.get_model('analyzer', 'QueueItem').objects.using(schema_editor.connection.alias)
    decided = items.filter(review__isnull=False, feedback__revised_at__isnull=False)
    times = decided.values_list('pk', 'feedback__revised_at', 'review__created_at').iterator(chunk_size=CHUNK)
    edited = [key for key, revised_at, decided_at in times if decided_at < revised_at]
    for start in range(0, len(edited), CHUNK):
        items.filter(pk__in=edited[start:start + CHUNK]).update(edited=True)


class Migration(migrations.Migration):

    dependencies = [
        ('analyzer', '0008_count_groups'),
        ('feedback', '0002_mirror'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='queueitem',
            name='analyzer_queue',
        ),
        AddColumn(
            model_name='queueitem',
            name='edited',
            field=models.BooleanField(default=False, help_text='What was said was changed after the decision that counts.'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='queueitem',
            index=models.Index(fields=['status', 'rank', 'received_at', 'synthetic', 'severity', 'type', 'rating', 'flagged', 'held', 'needs_person', 'fallback', 'unsure', 'edited', 'provenance', 'decided_by', 'outcome'], name='analyzer_queue'),
        ),
    ]
