from django.db import migrations, models


class Migration(migrations.Migration):
    """By itself: MongoDB has no transaction around it, and a collection that has rows is not made again."""

    dependencies = [
        ('analyzer', '0006_queue_filters'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReportGroup',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('size', models.PositiveIntegerField(help_text='How many members there are.')),
            ],
        ),
    ]
