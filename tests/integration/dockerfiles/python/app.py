import sys

import six

sys.stdout.write(f"six {six.__version__}\n")
