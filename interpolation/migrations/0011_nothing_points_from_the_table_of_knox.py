from django.db import migrations, models


def let_go(apps, schema_editor):
    """knox makes a table of its own, though tokens are rows of ours (0004 has copied them). Django does not know it, so
    whoever had a row in it could not be deleted, and PostgreSQL emptied no table of users at all. It stays, for
    migrations of knox to come, but empty and pointing to nobody."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if "knox_authtoken" not in connection.introspection.table_names(cursor):
            return
        cursor.execute("DELETE FROM knox_authtoken")
    table = apps.get_model("knox", "AuthToken")
    pointing = table._meta.get_field("user")
    free = models.ForeignKey(pointing.remote_field.model, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    free.set_attributes_from_name("user")
    free.model = table
    schema_editor.alter_field(table, pointing, free)


class Migration(migrations.Migration):

    dependencies = [
        ('knox', '0009_extend_authtoken_field'),
        ('interpolation', '0010_pictures_to_judge_by'),
    ]

    operations = [
        migrations.RunPython(let_go, migrations.RunPython.noop),
    ]
