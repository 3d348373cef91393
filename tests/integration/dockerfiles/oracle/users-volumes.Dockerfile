# USER forms, and what VOLUME does to what is written afterwards.
FROM oracle:busybox
RUN printf 'root:x:0:0::/:/bin/sh\napp:x:77:88::/home/app:/bin/sh\n' > /etc/passwd && printf 'root:x:0:\nstaff:x:99:app\nmore:x:111:app\n' > /etc/group && mkdir -m 1777 /out
RUN mkdir /data && echo before > /data/before
VOLUME /data
RUN echo after > /data/after
COPY src/a /data/copied
VOLUME ["/data/inner", "/with space"]
VOLUME /one /two
USER app
RUN (id -u; id -g) > /out/app; echo $HOME > /out/app-home
USER 77
RUN (id -u; id -g) > /out/77; echo $HOME > /out/77-home
USER app:staff
RUN (id -u; id -g) > /out/app-staff
USER 77:111
RUN (id -u; id -g) > /out/77-111
USER 500
RUN (id -u; id -g) > /out/500; echo $HOME > /out/500-home
USER 500:600
RUN (id -u; id -g) > /out/500-600
ARG U=app
USER ${U}:more
RUN (id -u; id -g) > /out/variable
USER 100000:100001
RUN touch /out/large
USER app
