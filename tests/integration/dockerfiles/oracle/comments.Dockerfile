# escape=`
# The escape character is a backtick here, and backslashes are plain.

FROM oracle:busybox

# comment
RUN echo one > /one && `
    # a comment inside
    echo two > /two && `

    echo three > /three
ENV WIN=C:\dir\file TICK=a` b
	RUN echo indented > /indented
COPY src/a `
  /continued
RUN ["sh", "-c", "echo \"exec form\" > /exec"]
run echo lower > /lower
RUN echo "a#b" > /hash # not a comment
RUN [ -e /hash ] && echo bracket > /bracket
