"""The question of a chapter as a picture, for the first screen: what is known is drawn, what is asked is a `?`."""
