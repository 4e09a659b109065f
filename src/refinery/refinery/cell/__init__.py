"""The simulated cell: one MuJoCo model of arm, plug and socket that training and the twin both step."""
