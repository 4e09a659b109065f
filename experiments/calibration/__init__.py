"""What a cell gains by learning the constant error of its socket estimate."""
