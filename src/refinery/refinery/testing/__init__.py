"""Stand-ins for tests: small bundles, a cell of a few lines, checks of what every target must keep."""
