"""Our runner against the production engine."""
