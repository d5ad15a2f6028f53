"""The grader: a master and students' files in; gradebook, notebooks with verdicts, reports and feedback out."""
