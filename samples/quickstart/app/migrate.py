"""Make the table that the API reads; run once, before it."""

import sqlite3

with sqlite3.connect("/data/visits.db") as db:
    db.execute("CREATE TABLE IF NOT EXISTS visits (who TEXT NOT NULL)")
print("migrated")
