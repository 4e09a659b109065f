"""Cost of the nodes over their lower bounds: a bare inference, a bare echo, an empty service."""
