"""Plain data and text: records, statuses, regions, notebooks to render. Runs nothing and reads no file."""
