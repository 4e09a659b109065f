"""The MuJoCo physics that training and the twin share."""
