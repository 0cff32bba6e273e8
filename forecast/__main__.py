"""``python -m forecast``."""

from forecast.cli.main import main

if __name__ == "__main__":
    main()
