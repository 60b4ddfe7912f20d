"""The domain: commands in neutral words, carried out on engines and recorded exactly once."""
