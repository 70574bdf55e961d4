"""The event log: streams of facts, appended in one transaction and never rewritten."""
