"""`python -m bncourse`: the command line."""


def main() -> None:
    """Run the command line."""
    raise SystemExit("under construction")


if __name__ == "__main__":
    main()
