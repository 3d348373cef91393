# Patterns of Go's filepath.Match.
FROM oracle:busybox
COPY src/*.txt /star/
COPY src/?.txt /question/
COPY src/[a-c].txt /class/
COPY src/[^a-c].txt /negated/
COPY s*c/su*/* /middle/
COPY src/*[^g] /all/
COPY src/.h* /dots/
COPY src/sub* /directories/
COPY src/a src/*.txt src/sub /mixed/
COPY src/lit\[1\].txt /escaped/
COPY *gnore-me /root/
COPY src/**/b /two-stars/
COPY src/*.txt /there/
COPY src/?.txt /there
