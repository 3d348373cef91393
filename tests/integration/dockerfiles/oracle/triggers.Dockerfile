# ONBUILD, run by the stage that builds on it and by no later one.
FROM oracle:busybox AS parent
RUN echo root:x:0:0::/:/bin/sh > /etc/passwd; echo five:x:5:5::/: >> /etc/passwd; echo of:x:12:34::/: >> /etc/passwd; echo nobody:x:65534:65534::/: >> /etc/passwd; echo root:x:0: > /etc/group; chmod 1777 /tmp
ONBUILD ARG WHAT=thing
ONBUILD RUN echo "built $WHAT" > /triggered
ONBUILD COPY src/a /by-trigger
ONBUILD ENV FROM_TRIGGER=yes
ONBUILD WORKDIR /trigger
ONBUILD USER 5
RUN test ! -e /triggered && chmod 1777 /tmp
FROM parent AS child
RUN echo "$WHAT $FROM_TRIGGER" > /tmp/child; pwd > /tmp/where; id -u > /tmp/who
FROM child
USER 0
RUN rm /triggered
ONBUILD RUN echo later
