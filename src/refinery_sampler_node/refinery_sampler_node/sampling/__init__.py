"""The service ``/sample_init``: draws initial states from a bundle's mixture, ranks them, and checks reachability."""
