# What both of Docker's builders do alike.
FROM oracle:busybox AS first
RUN echo made > /made && chmod 640 /made && chown 5:6 /made
FROM oracle:busybox
ARG GIVEN=world
ENV A=1 B="two words" C=$GIVEN
WORKDIR /srv/app
COPY src .
COPY src /dir/
COPY src/a src/sub/b /files/
COPY --chown=3:4 src/a /one
COPY src/*.txt /texts/
COPY src/sub /link-to-be/sub
COPY --from=first /made /made
ADD archive.tar.gz /archive/
RUN echo hi > made && rm sub/b && mkdir -p deep/er && chmod 711 deep && ln -s made lnk
RUN rm -rf /dir/sub && mkdir /dir/sub && touch /dir/sub/new
EXPOSE 80 53/udp 7000-7001
VOLUME /data /logs
USER 1000:1000
LABEL x=y "with space"="a b"
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s --retries=2 CMD true
STOPSIGNAL SIGINT
ENTRYPOINT exec top
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "id $A"]
ONBUILD RUN true
