"""The offline commands: ``ros2 run refinery_sim_train <command> --help``."""
