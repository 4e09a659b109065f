"""Display of the node: RViz markers of the mixture and the candidates, status, and diagnostics."""
