FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/elevate ./cmd/elevate
# The state's folder belongs to the user that runs: a new volume takes owner and mode from it.
RUN install -d -m 0700 /out/state

# Nothing but the program: no shell, no package manager, no user but the one it runs as.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# People's time zones, for `until 18:00`.
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/share/zoneinfo.zip
ENV ZONEINFO=/usr/share/zoneinfo.zip
COPY --from=build /out/elevate /usr/local/bin/elevate
COPY --from=build --chown=65532:65532 --chmod=0700 /out/state /var/lib/elevate

USER 65532:65532
VOLUME /var/lib/elevate
# The default `listen: 127.0.0.1:8080` is the container's own loopback, which no published port reaches: set `listen: ':8080'`
# in the settings or run with -e ELEVATE_LISTEN=:8080. It is no ENV here, because that would beat the settings.
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/elevate"]
CMD ["serve", "-config", "/etc/elevate/elevate.yaml"]
