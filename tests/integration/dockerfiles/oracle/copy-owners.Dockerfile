# Owners by name and number, beyond 16 bits, and modes.
FROM oracle:busybox
RUN printf 'root:x:0:0::/:/bin/sh\napp:x:77:88::/home/app:/bin/sh\n' > /etc/passwd && printf 'root:x:0:\nstaff:x:99:app\n' > /etc/group
COPY --chown=app src /app
COPY --chown=app:staff src /app-staff
COPY --chown=77 src/a /number
COPY --chown=77:staff src/a /number-name
COPY --chown=app:1 src/a /name-number
COPY --chown=100000:200000 src /large
COPY --chmod=0751 src /mode
COPY --chmod=600 src/a /mode-dir/
COPY --chmod=0751 --chown=5:6 src/a /both

COPY --chown=app src/a /new/parents/are/whose
ARG WHO=app
COPY --chown=$WHO:${GRP:-staff} src/a /variable
COPY --chown=app --from=oracle:busybox /bin/busybox /bin/other
ADD --chown=55 src/a /added
COPY owned /owned
COPY modes /modes
USER app
COPY src/a /as-root-still
WORKDIR /made/by/app
RUN touch file && mkdir dir
