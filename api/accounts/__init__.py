"""Who is there: accounts, sessions, limits and the audit trail, kept in desk.db."""
