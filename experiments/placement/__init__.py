"""The placement campaign: sampled initial states placed through MoveIt's interfaces."""
