"""``python -m fanous``."""

from fanous.cli.main import main

main()
