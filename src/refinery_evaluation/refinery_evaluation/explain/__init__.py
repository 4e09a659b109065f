"""One recorded insertion explained: what happened, drawn and said."""
