FROM oracle:busybox AS base
CMD ["from", "base"]
ENTRYPOINT ["/entry"]
HEALTHCHECK CMD check
FROM base
HEALTHCHECK --retries=2 CMD ["a", "b c"]
