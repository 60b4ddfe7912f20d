"""Access: who calls, how that is proven, and how often they may try."""
