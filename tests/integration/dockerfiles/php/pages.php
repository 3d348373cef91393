<?php
echo "<p>", implode(" ", array_map(fn ($n) => $n * $n, range(1, 4))), "</p>\n";
