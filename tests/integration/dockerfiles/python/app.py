import sys
from importlib.metadata import version

from iniconfig import IniConfig

name = IniConfig("settings", data="[app]\nname = installed\n")["app"]["name"]
sys.stdout.write(f"{name} {version('iniconfig')}\n")
