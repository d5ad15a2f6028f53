"""Plain data and text of a grading: records, statuses, regions, notebooks to render. Runs and reads nothing."""
