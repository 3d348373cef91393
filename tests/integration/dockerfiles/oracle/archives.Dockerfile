# ADD of archives in all their compressions, and of what only looks so.
FROM oracle:busybox
ADD archive.tar /tar/
ADD archive.tar.gz /gz/
ADD archive.tar.bz2 /bz2/
ADD archive.tar.xz /xz/
ADD archive.tar.gz /no-slash
ADD archive.tar archive.tar.gz src/a /several/
ADD fake.tar.gz /fake/
ADD plain.gz /plain/
ADD archive.tar* /glob/
COPY archive.tar.gz /copied/
ADD rich.tar /rich/
RUN mkdir /over && echo old > /over/file && mkdir /over/in && chmod 700 /over/in
ADD archive.tar /over/
ADD src /directory/
ADD archives /archives/
