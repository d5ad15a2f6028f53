"""What the site needs so that its pages run in a reader's browser: fetched once, verified, and laid into the site."""
