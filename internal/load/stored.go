package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
)

// watchedFor is how long the memory of a bot that is ready is looked at.
const watchedFor = time.Minute

// asked are the roles of the sandbox that want an approval, among which the open requests are shared out.
var asked = [...]string{"mde-admin", "mde-liveresponse"} //nolint:gochecknoglobals // a constant in all but syntax

// program is the whole of Elevate beside a sandbox, each a process.
type program struct {
	binary, play string
	admin        string // address of /readyz and /metrics
	files        files
}

// settings is what the measurement needs of those that the sandbox writes.
type settings struct {
	Admin  string `yaml:"listen_admin"`
	State  string `yaml:"state"`
	Keyset string `yaml:"keyset"`
}

// measureStored starts the whole program on a state file with a history: how long until it is ready, and its memory
// then and while it works for what is open.
func measureStored(ctx context.Context, o options, out io.Writer) error {
	p := program{binary: o.binary, play: filepath.Join(o.dir, "play")}
	if p.binary == "" {
		p.binary = filepath.Join(o.dir, "elevate")
		build := exec.CommandContext(ctx, "go", "build", "-o", p.binary, "./cmd/elevate") //nolint:gosec // our own program
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return err
		}
	}
	sandbox, err := start(ctx, nil, p.binary, "sandbox", "-no-teams", "-dir", p.play)
	if err != nil {
		return err
	}
	return errors.Join(p.measure(ctx, o, out), sandbox.stop())
}

func (p *program) measure(ctx context.Context, o options, out io.Writer) error {
	if err := p.readSettings(); err != nil {
		return err
	}
	ended := past{requests: o.stored, of: func(i int) int { return i % o.people }}
	if err := ended.fill(ctx, p.files); err != nil {
		return err
	}
	if err := p.openRequests(ctx, o.open); err != nil {
		return err
	}
	// What is filled in a moment ago is all in the page cache, which a machine that has just started has not.
	if err := forget(p.files.state); err != nil {
		return err
	}
	m := storedResult{o: o}
	if err := p.watch(ctx, &m); err != nil {
		return err
	}
	return m.print(out)
}

func (p *program) readSettings() error {
	content, err := os.ReadFile(filepath.Join(p.play, "elevate.yaml"))
	if err != nil {
		return err
	}
	var s settings
	err = yaml.Unmarshal(content, &s)
	p.admin, p.files = "http://"+s.Admin, files{state: s.State, keys: strings.TrimPrefix(s.Keyset, "file:")}
	return err
}

// openRequests has so many people ask in the portal, and the program itself find them: what is open then in the file, in
// PIM and in the chat is what it is in life. Nobody decides, so all of it stays pending and is polled for on and on.
func (p *program) openRequests(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	for i, role := range asked {
		share := strconv.Itoa(n*(i+1)/len(asked) - n*i/len(asked))
		crowd := exec.CommandContext(ctx, p.binary, "act", "-dir", p.play, "crowd", share, role, "isolating WS-042 after the alert of this morning") //nolint:gosec // our own program
		crowd.Stderr = os.Stderr
		if err := crowd.Run(); err != nil {
			return err
		}
	}
	bot, err := p.serve(ctx)
	if err != nil {
		return err
	}
	swept := func(status int, body string) bool {
		return isOK(status, body) && counted(body, "elevate_seconds_since_sweep ") >= 0 && counted(body, `elevate_effects_total{kind="card"`) >= float64(n)
	}
	return errors.Join(until(ctx, p.admin+"/metrics", swept), bot.stop())
}

// serve starts the bot.
func (p *program) serve(ctx context.Context) (*process, error) {
	env := []string{"SSL_CERT_FILE=" + filepath.Join(p.play, "ca.pem")}
	bot, events, err := launch(ctx, env, p.binary, "serve", "-config", filepath.Join(p.play, "elevate.yaml"))
	if err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, events) }() // until the process ends
	return bot, nil
}

// watch measures a start and the time after it.
func (p *program) watch(ctx context.Context, m *storedResult) error {
	began := time.Now()
	bot, err := p.serve(ctx)
	if err != nil {
		return err
	}
	err = until(ctx, p.admin+"/readyz", isOK)
	m.ready = time.Since(began)
	if err == nil {
		err = m.sample(bot)
	}
	_, m.metrics = get(ctx, p.admin+"/metrics")
	if err := errors.Join(err, bot.stop()); err != nil {
		return err
	}
	info, err := os.Stat(p.files.state)
	if err == nil {
		m.size = info.Size()
	}
	return err
}

// storedResult is what was measured of the whole program.
type storedResult struct {
	o                   options
	ready               time.Duration
	atReady, most, last float64 // MiB
	cpu                 time.Duration
	size                int64
	metrics             string
}

func (m *storedResult) sample(bot *process) error {
	var err error
	if m.atReady, err = bot.anonymous(); err != nil {
		return err
	}
	for end := time.Now().Add(watchedFor); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if m.last, err = bot.anonymous(); err != nil {
			return err
		}
		m.most = max(m.most, m.last)
	}
	m.cpu, err = bot.cpu()
	return err
}

func (m *storedResult) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d requests ended, %d open; the state file has %.0f MiB and was out of the page cache\n", m.o.stored, m.o.open, float64(m.size)/(1<<20))
	fmt.Fprintf(w, "start to ready\t%.0f ms\n", float64(m.ready.Microseconds())/1000)
	fmt.Fprintf(w, "RssAnon when ready\t%.1f MiB\n", m.atReady)
	fmt.Fprintf(w, "RssAnon at most, in the %s after\t%.1f MiB\n", watchedFor, m.most)
	fmt.Fprintf(w, "RssAnon at the end of it\t%.1f MiB\n", m.last)
	fmt.Fprintf(w, "its work until then\t%.0f polls of a group, %.0f batches, %.0f requests read, %.0f cards; %.1f s of processor\n",
		counted(m.metrics, `elevate_effects_total{kind="watch"`), counted(m.metrics, `elevate_graph_calls_total{operation="batch"`),
		counted(m.metrics, `elevate_graph_calls_total{operation="requests"`), counted(m.metrics, `elevate_effects_total{kind="card"`), m.cpu.Seconds())
	return w.Flush()
}
