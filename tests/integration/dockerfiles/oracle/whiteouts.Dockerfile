# Files that go, come back, and change their kind between layers.
FROM oracle:busybox
COPY src /w
RUN rm -rf /w/sub && mkdir /w/sub && echo new > /w/sub/new
RUN rm /w/a && mkdir /w/a && touch /w/a/in
RUN rm -rf /w/a && ln -s c.txt /w/a
RUN rm -rf /w/sub /w/link && touch /w/link
RUN mv /w /moved && mkdir /w && chmod 711 /w
COPY src/sub /moved/sub
RUN chown -R 3:3 /moved && touch /moved/.wh-like && rm -rf /bin/yes
RUN rm -rf /moved
COPY src /moved
RUN true
