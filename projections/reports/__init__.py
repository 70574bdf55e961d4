"""The written reports: what they say, and how a document becomes PDF, XLSX or CSV."""
