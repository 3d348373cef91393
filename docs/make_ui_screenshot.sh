#!/bin/sh
# Makes docs/ui.svg: the quickstart in `orchestra ui`, drawn without a terminal. Needs root.
set -eu
cd "$(dirname "$0")/../samples/quickstart"
roots=$(mktemp -d)
export ORCHESTRA_DATA_ROOT="$roots/data" ORCHESTRA_RUN_ROOT="$roots/run"
trap 'orchestra down -v -t 0; rm -rf "$roots"' EXIT
orchestra up -d
python3 - "${1:-../../docs/ui.svg}" <<'PYTHON'
import asyncio
import os
import sys

from orchestra import Project
from orchestra.cli.ui.app import View
from orchestra.cli.ui.observe import Observer
from orchestra.cli.ui.steer import Steering
from orchestra.wiring import host


async def draw(path):
    target = Project.load(".").target()
    view = View(Observer(host(), target), Steering(target, os.environ))
    async with view.run_test(size=(110, 28)) as pilot:
        await pilot.press("down", "down")  # to the worker, which writes once a second
        for _second in range(5):
            await pilot.pause(1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(view.export_screenshot(title="orchestra ui"))


asyncio.run(draw(sys.argv[1]))
PYTHON
