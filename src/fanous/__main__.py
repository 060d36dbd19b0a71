"""``python -m fanous``."""

from fanous.cli import main

main()
