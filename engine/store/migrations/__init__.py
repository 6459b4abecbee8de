"""The history of the database schema, run at start by :meth:`engine.store.database.Database.migrate`."""
