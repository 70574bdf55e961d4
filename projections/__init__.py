"""What people look at: tables folded from the events, thrown away and rebuilt at will."""
