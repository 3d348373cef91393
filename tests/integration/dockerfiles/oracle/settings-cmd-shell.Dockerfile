FROM oracle:busybox AS base
CMD ["from", "base"]
ENTRYPOINT ["/entry"]
HEALTHCHECK CMD check
FROM base
CMD echo $HOME && exit 3
