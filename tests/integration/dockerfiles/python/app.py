import sys
from importlib.metadata import version

import iniconfig

sys.stdout.write(f"{'installed' if iniconfig.IniConfig else ''} {version('iniconfig')}\n")
