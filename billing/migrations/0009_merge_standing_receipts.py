from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0007_customer_standing"),
        ("billing", "0007_receipt_received"),
        ("billing", "0008_receipt_returned"),
    ]

    operations = []
