"""Who is there: frameworks and what they declare, plug-ins, seats, names."""
