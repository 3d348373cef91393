# RUN --mount, and files of other stages and of the whole base.
FROM oracle:busybox AS first
RUN echo made > /made && chmod 640 /made && chown 5:6 /made && ln /made /hard
FROM oracle:busybox
ARG WHO=world
ENV B="two ${WHO:+words}" C=${NONE:-default}
COPY --chmod=0711 src/a /mode
COPY modes /modes
COPY --chown=3:4 src/a src/c.txt /owned/
COPY --from=first /made /hard /from/
COPY --from=first / /tree/
RUN --mount=type=bind,source=src,target=/m cp /m/a /bound
RUN --mount=type=tmpfs,target=/t touch /t/gone && echo $WHO > /who
RUN --mount=type=cache,target=/t echo cached > /t/file && cp /t/file /copied
USER 7
LABEL x="$B"
