"""Declarations of what each vendor's service accepts and answers, and the one function that applies them."""
