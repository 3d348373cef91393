# ARG and ENV: before FROM, default, redeclared, predefined, shadowed.
ARG TAG=busybox
ARG GLOBAL=global
ARG UNUSED
FROM oracle:${TAG} AS base
ARG GLOBAL
ARG LOCAL=local
ARG DERIVED=${GLOBAL}-${LOCAL}
ARG NODEFAULT
ENV SEEN="$GLOBAL $LOCAL $DERIVED $NODEFAULT"
RUN echo "$GLOBAL|$LOCAL|$DERIVED|$NODEFAULT|$GIVEN" > /base
ARG GIVEN=default
RUN echo "$GIVEN" > /given
ENV GIVEN=env
RUN echo "$GIVEN" > /env-wins
ARG GIVEN=again
RUN echo "$GIVEN" > /env-still-wins
ENV A=1
ENV A=2 B=$A
ENV PATH=/opt/bin:$PATH
RUN echo "$A $B $PATH" > /once
FROM base AS next
RUN echo "$GLOBAL|$LOCAL|$GIVEN|$SEEN" > /next
ARG LOCAL
RUN echo "$LOCAL" > /local
ARG HTTP_PROXY
ARG TARGETPLATFORM
ARG TARGETOS
ARG TARGETARCH
ARG TARGETVARIANT
ARG BUILDPLATFORM
ARG BUILDOS
ARG BUILDARCH
RUN echo "$TARGETPLATFORM|$TARGETOS|$TARGETARCH|$TARGETVARIANT|$BUILDPLATFORM|$BUILDOS|$BUILDARCH" > /platform
ENV KEY value with  spaces
ENV Q="a \"b\" c" S='single $A' E=a\ b D=a"b"c'd'
ENV EMPTY=
RUN echo "$KEY|$Q|$S|$E|$D|$EMPTY" > /quotes
ENV W1=${A:-d} W2=${EMPTY:-d} W3=${A:+s} W4=${EMPTY:+s} W5=$A$B W6=${A}x W7=\$A W8=\\$A
LABEL derived="$SEEN" global=$GLOBAL
FROM base
COPY --from=next / /next-tree/
ENV LATE=${LOCAL:-gone}
