"""This room is the teacher's: it renders, grades and reports. It may import every room below; nobody imports it."""
