# Hard and sparse files, devices, FIFOs, large owners, set-id bits, attributes and capabilities.
FROM oracle:busybox AS made
RUN mkdir /s && cd /s && echo x > one && ln one two && mkdir d && ln one d/three && truncate -s 3M sparse && echo end >> sparse
RUN --mount=type=bind,source=tools,target=/tools cp /bin/busybox /s/capable && /tools/ld.so --library-path /tools /tools/setcap cap_net_raw+ep /s/capable
RUN chmod 4755 /s/one && chmod 1777 /s/d && mkdir -m 2775 /s/group && chown 100000:100001 /s/d
FROM oracle:busybox
COPY --from=made /s /s
COPY --from=made /s/capable /capable
COPY special /special
RUN rm /s/two && mv /s/d/three /s/moved && chmod 600 /s/sparse
RUN mkdir /n && cd /n && mknod null c 1 3 && mknod block b 7 0 && mkfifo pipe && chmod 640 null && chown 100000:100001 pipe
RUN ln /n/pipe /n/pipe2 && ln -s /n/null /n/lnk && chown -h 7:8 /n/lnk
