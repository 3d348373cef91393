# Links among the sources, as a source, and in the way of the destination.
FROM oracle:busybox
COPY src/link /copied-link
COPY src/dirlink /copied-dirlink
COPY src/dirlink/b /through
COPY src /with-links
COPY src/dirlink src/link /several/
RUN mkdir -p /real/dir /else && ln -s /real/dir /to-dir && ln -s ../real /else/up && ln -s /absent /dangles
COPY src/a /to-dir/
COPY src/sub /to-dir
COPY src/a /else/up/file
COPY src/d.txt /to-dir/new/
RUN echo old > /target && ln -s target /to-file
COPY src/a /to-file
FROM oracle:busybox AS other
RUN mkdir -p /o/d && echo 1 > /o/d/f && ln -s d /o/l && ln -s /o/d/f /o/abs
FROM oracle:busybox
COPY --from=other /o/l /l
COPY --from=other /o/l/ /l2/
COPY --from=other /o/abs /abs
COPY --from=other /o /o
COPY --from=other o/d/f /relative
COPY --from=1 /o/d /number
COPY src/dirlink /copied-dirlink
COPY src/dirlink/b /through
COPY src/link /copied-link
RUN mkdir -p /real/dir && ln -s /real/dir /to-dir
COPY src/a /to-dir/
COPY src/sub /to-dir
COPY src/d.txt /to-dir/new/
