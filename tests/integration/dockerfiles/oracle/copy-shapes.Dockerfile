# Directories, files, trailing slashes, dot files and destinations that are or are not there.
FROM oracle:busybox
COPY src /plain
COPY src/ /slash/
COPY src/. /dot
COPY src/a /as-file
COPY src/a /as-dir/
COPY src/a src/sub /two/
COPY src/.hidden /hid/
COPY ["src/with space", "/with space/"]
COPY . /everything/
RUN mkdir -p /there/inner && touch /there/old && chmod 700 /there && chown 9:9 /there
COPY src /there
COPY src/a /there
COPY src/sub /there/inner
COPY empty /empty-dir
COPY ./src/../src/a /dotted
COPY /src/a /rooted
COPY src/a src/a /twice/
COPY src/sub /deep/er/and/deeper
WORKDIR /work
COPY src/a .
COPY src/a ./sub/
COPY src/a rel
COPY src ../above
