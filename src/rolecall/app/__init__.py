"""The composition root: `application` builds the parts, `opening` opens the store that they need."""
