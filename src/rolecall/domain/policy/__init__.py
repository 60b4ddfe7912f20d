"""Policy: CAM's policy language 2.0, and the decisions made by it."""
