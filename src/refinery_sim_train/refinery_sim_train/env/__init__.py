"""The vectorised MuJoCo insertion environment."""
