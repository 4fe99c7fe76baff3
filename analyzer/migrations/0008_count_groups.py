import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Count

CHUNK = 1_000


def count(apps, schema_editor):
    """A row for each group, with the number of its members; again from the start where it was cut off before."""
    using = schema_editor.connection.alias
    groups = apps.get_model('analyzer', 'ReportGroup').objects.using(using)
    items = apps.get_model('analyzer', 'QueueItem').objects.using(using)
    groups.all().delete()
    sizes = items.exclude(group=None).order_by('group').values_list('group').annotate(size=Count('pk'))
    rows = (groups.model(pk=key, size=size) for key, size in sizes.iterator(chunk_size=CHUNK))
    groups.bulk_create(rows, batch_size=CHUNK)


class Migration(migrations.Migration):

    dependencies = [
        ('analyzer', '0007_report_groups'),
    ]

    operations = [
        migrations.RunPython(count, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='queueitem',
            name='group',
            field=models.ForeignKey(blank=True, db_column='group', db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='analyzer.reportgroup'),
        ),
        migrations.RemoveField(
            model_name='queueitem',
            name='similar',
        ),
    ]
