package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/sim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func (p program) sandboxCommand() *ffcli.Command {
	set := p.flags("sandbox")
	dir := set.String("dir", "", "the `DIR`ectory that holds the sandbox's addresses, certificates, secrets and settings (required)")
	socketMode := set.Bool("socket-mode", false, "Slack reaches the bot through Socket Mode instead of HTTP")
	noTeams := set.Bool("no-teams", false, "leave Microsoft Teams out of the settings")
	empty := set.Bool("empty", false, "begin with a tenant in which nothing is set up: no groups, nothing under PIM")
	listen := set.String("listen", "", "where the bot will listen, as `HOST:PORT` on loopback; a free port unless given")
	return &ffcli.Command{
		Name: "sandbox", ShortUsage: "elevate sandbox -dir DIR [-empty] [-socket-mode] [-no-teams] [-listen HOST:PORT]",
		ShortHelp: "run a sandbox of Entra, Graph, Slack and Teams on loopback", FlagSet: set,
		Exec: func(ctx context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			if *dir == "" {
				return usagef("say where the sandbox keeps its files: -dir DIR")
			}
			if err := checkBotListen(*listen); err != nil {
				return err
			}
			cfg := sim.Config{SocketMode: *socketMode, NoTeams: *noTeams, BotListen: *listen}
			if *empty {
				cfg.Cast = cast.Empty()
			}
			return p.sandbox(ctx, *dir, cfg)
		},
	}
}

// checkBotListen keeps the bot of a sandbox on this machine; no address is fine.
func checkBotListen(address string) error {
	if address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if n, portErr := strconv.Atoi(port); err != nil || portErr != nil || n < 1 || n > 65535 {
		return usagef("-listen takes a host and a port, as in 127.0.0.1:8080")
	}
	if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
		return usagef("a sandbox stays on this machine: -listen takes an address on loopback, as in 127.0.0.1:%s", port)
	}
	return nil
}

// sandbox runs until ctx ends.
func (p program) sandbox(ctx context.Context, dir string, cfg sim.Config) error {
	home, err := openSandboxDir(ctx, dir)
	if err != nil {
		return err
	}
	cfg.Dir, cfg.Now, cfg.Behavior = home, time.Now, simentra.DefaultBehavior()
	s, err := sim.Start(ctx, cfg)
	if err != nil {
		return err
	}
	if err := writeSandboxFiles(home, s.Settings()); err != nil {
		return errors.Join(err, s.Close())
	}
	if cfg.Cast != nil {
		fmt.Fprint(p.out, "The tenant is empty. The groups that the settings name have to be made and brought under PIM first, and\nassigned to the bot's registration, as in: ada portal assign-app 'PIM MDE Analyst'\n\n")
	}
	p.sayWhatNext(dir, home)
	<-ctx.Done()
	return s.Close()
}

// openSandboxDir makes the directory if it is missing, and returns its absolute
// path, unless a sandbox runs there already or somebody keeps other files there.
func openSandboxDir(ctx context.Context, dir string) (string, error) {
	home, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", fmt.Errorf("making the sandbox's directory: %w", err)
	}
	if err := checkOurs(dir, home); err != nil {
		return "", err
	}
	if sandboxRuns(ctx, home) {
		return "", fmt.Errorf("a sandbox runs with the directory %s already; end that one first, or choose another directory", dir)
	}
	return home, nil
}

// checkOurs refuses a directory with files of somebody else's, which a sandbox
// would overwrite: its own have names such as keyset.json and elevate.yaml.
func checkOurs(dir, home string) error {
	if _, err := sim.OpenClient(home); err == nil {
		return nil
	}
	files, err := os.ReadDir(home)
	if err != nil {
		return fmt.Errorf("looking into the sandbox's directory: %w", err)
	}
	if len(files) > 0 {
		return fmt.Errorf("the directory %s is not empty, and what is in it belongs to no sandbox, so nothing was written; name a new directory, as in -dir %s", dir, filepath.Join(dir, "play"))
	}
	return nil
}

// sandboxRuns asks the sandbox of a directory for its time.
func sandboxRuns(ctx context.Context, home string) bool {
	client, err := sim.OpenClient(home)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err = client.Do(ctx, []string{"clock"})
	return err == nil
}

// firstActs are the acts that a new user types first: a request from its asking
// to its end in Slack, and one in Teams. The README holds the same lines.
var firstActs = []string{
	"alice slack /elevate mde-admin isolating WS-042, INC-1234",
	"alice web sign-in",
	"bob slack sees '#approvals' until approval needed within 30s",
	"bob slack click Approve in '#approvals'",
	"bob web sign-in",
	"alice slack sees dm until member since within 45s",
	"clock +1h x20",
	"alice slack sees dm until ended at its time within 45s",
	"alice teams say mde-liveresponse collecting a memory image",
	"alice web sign-in",
	"carol teams sees '#approvals' until approval needed within 30s",
	"carol teams click Deny in '#approvals' reason not in this shift",
	"carol web sign-in",
	"alice teams sees dm until denied by within 30s",
	"dan teams in incident /elevate roles",
	"people",
	"help",
}

// sayWhatNext prints the lines that a new user types next.
func (p program) sayWhatNext(dir, home string) {
	self := shellWord(os.Args[0])
	fmt.Fprintf(p.out, `SANDBOX on loopback: nothing here is real. It runs until you interrupt it.

Start the bot in a second terminal:

    SSL_CERT_FILE=%s %s serve -config %s

Act as people in a third one:

`, shellWord(filepath.Join(dir, "ca.pem")), self, shellWord(filepath.Join(dir, settingsFile)))
	for _, act := range firstActs {
		fmt.Fprintf(p.out, "    %s act -dir %s %s\n", self, shellWord(dir), act)
	}
	if exists(filepath.Join(home, stateFile)) {
		fmt.Fprintf(p.out, `
The sandbox begins anew each time, but the bot's state file of an earlier run is still there. To begin anew with both:

    rm %s
`, shellWord(filepath.Join(dir, stateFile)))
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// shellWord quotes what a shell would take apart.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return !strings.ContainsRune("/._-+:=@%,", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if word != "" && !strings.ContainsFunc(word, plain) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
