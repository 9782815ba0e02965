"""The one SQLite file of a working directory: journal and inbox. Nothing else imports sqlite3."""
