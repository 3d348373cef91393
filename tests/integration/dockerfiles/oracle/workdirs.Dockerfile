# WORKDIR: variables, relative, over links, with users.
FROM oracle:busybox
RUN echo root:x:0:0::/:/bin/sh > /etc/passwd; echo five:x:5:5::/: >> /etc/passwd; echo of:x:12:34::/: >> /etc/passwd; echo nobody:x:65534:65534::/: >> /etc/passwd; echo root:x:0: > /etc/group; chmod 1777 /tmp
ENV BASE=/srv NAME=app
WORKDIR $BASE/${NAME}
RUN pwd > where
WORKDIR inner
WORKDIR ..
WORKDIR ./x/../y/
RUN pwd > where
WORKDIR ${NONE:-/fallback}/a
RUN ln -s /srv /link && chmod 700 /srv
WORKDIR /link/through
USER 12:34
WORKDIR /of/user
USER 0
WORKDIR "/quoted path"
WORKDIR /with space
RUN pwd > /last
WORKDIR /
WORKDIR relative
