"""`rolecall seed`: what a file lists is created, or changed where it differs; nothing is deleted."""
