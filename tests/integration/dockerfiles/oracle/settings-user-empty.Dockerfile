FROM oracle:busybox AS base
CMD ["from", "base"]
ENTRYPOINT ["/entry"]
HEALTHCHECK CMD check
FROM base
USER ""
