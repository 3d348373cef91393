# .dockerignore: comments, **, !, slashes; and the file of its own for this Dockerfile.
FROM oracle:busybox
COPY . /all/
COPY src /src
COPY src/*.txt /texts/
COPY deep /deep
