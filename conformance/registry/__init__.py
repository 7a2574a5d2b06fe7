"""What is declared: frameworks, seats, plug-ins, devices, names."""
