"""What the node costs, measured beside the least it could cost: a bare inference, a bare echo, an empty service."""
