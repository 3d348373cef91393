# What only the image's config has.
FROM oracle:busybox AS base
RUN echo root:x:0:0::/:/bin/sh > /etc/passwd; echo five:x:5:5::/: >> /etc/passwd; echo of:x:12:34::/: >> /etc/passwd; echo nobody:x:65534:65534::/: >> /etc/passwd; echo root:x:0: > /etc/group; chmod 1777 /tmp
CMD ["from", "base"]
ENTRYPOINT ["/entry"]
EXPOSE 80
LABEL keep=1 change=1
HEALTHCHECK CMD check
STOPSIGNAL SIGTERM
ENV PATH=/a:$PATH
VOLUME /v
USER 65534
SHELL ["/bin/sh", "-e", "-c"]
FROM base
ENTRYPOINT exec new $PATH
EXPOSE 443/tcp 53/UDP 8000-8003/tcp 80
LABEL change=2
LABEL multi="a \
b" 'quo ted'=x "with space"="y z" dotted.name.x=1
LABEL old style value
LABEL empty=
HEALTHCHECK --interval=1m30s --timeout=3s --start-period=1s --retries=7 CMD curl -f "http://x" || exit 1
STOPSIGNAL 9
SHELL ["/bin/busybox", "sh", "-c"]
RUN echo through-shell > /tmp/shell
MAINTAINER Some One <some@one.example>
