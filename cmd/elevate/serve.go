package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/bounded"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/store"
)

func (p program) serveCommand() *ffcli.Command {
	set := p.flags("serve")
	path := set.String("config", "", "the settings `FILE` (required)")
	restored := set.Bool("restored", false, "the state file is a restored backup: drop sessions and unfinished steps as people, and look at PIM before any card is sent")
	return &ffcli.Command{
		Name: "serve", ShortUsage: "elevate serve -config FILE [-restored]", ShortHelp: "run the bot", FlagSet: set,
		Exec: func(ctx context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			cfg, err := p.load(*path)
			if err != nil {
				return err
			}
			return p.serve(ctx, cfg, *restored)
		},
	}
}

// load reads the settings; its error lists every mistake.
func (p program) load(path string, options ...config.Option) (*config.Config, error) {
	if path == "" {
		return nil, usagef("say which settings: -config FILE, before any other word")
	}
	return config.Load(path, p.env, os.ReadFile, append(options, config.Environment(p.environ))...)
}

func (p program) serve(ctx context.Context, cfg *config.Config, restored bool) error {
	// Who reads the events may go away: then work waits for the sink, and nothing ends without a word.
	signal.Ignore(syscall.SIGPIPE)
	bounded.Heap()
	log, way := newLog(p.errs, cfg.Log), newTransport()
	around := surroundings{now: time.Now, transport: telling{way, log, cfg.Sandbox}, log: log, audit: p.sink(cfg.Audit), tick: time.Second, restored: restored}
	if cfg.Sandbox {
		// Logged loudly: nobody should take a sandbox for the real thing.
		log.Warn("SANDBOX: nothing is real")
		around.tick = 100 * time.Millisecond
	}
	if cfg.SandboxClock != "" {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		around.now = newSandboxClock(ctx, cfg.SandboxClock, &http.Client{Transport: way, Timeout: 5 * time.Second}).Now
		return runBot(ctx, cfg, around)
	}
	return runBot(ctx, cfg, around)
}

// runBot shows health at once, wires the bot, and serves until ctx ends.
func runBot(ctx context.Context, cfg *config.Config, around surroundings) error {
	b, err := openBot(ctx, cfg, around)
	if err != nil {
		return err
	}
	health := &health{opened: b}
	admin, err := startServer(ctx, cfg.ListenAdmin, health, around.log)
	if err != nil {
		return errors.Join(err, b.shut())
	}
	defer admin.stop()
	err = b.connect(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		around.log.Info("stopped", "while", err)
		return nil
	}
	if err != nil {
		return err
	}
	health.bot.Store(b)
	return errors.Join(b.run(ctx), b.db.Close())
}

// sink is where the events go besides the state file.
func (p program) sink(a config.Audit) io.Writer {
	if a.Sink == "stderr" {
		return p.errs
	}
	return p.out
}

func newLog(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // unreachable: the settings were checked
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// run serves until ctx ends: then nothing new is taken, what runs is finished,
// and the queue stops between two effects.
func (b *bot) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer b.socket.stop()
	public, err := startServer(ctx, b.cfg.Listen, b.publicHandler(), b.around.log)
	if err != nil {
		return err
	}
	b.serving.Store(b.service)
	work := b.work()
	ended := make(chan error, len(work))
	for _, task := range work {
		go func() { ended <- task(ctx) }()
	}
	b.around.log.Info("ready", "listen", public.address, "public_url", b.cfg.PublicURL, "version", version())
	var failed error
	for range work {
		// One that ends by itself ends them all.
		if err := <-ended; err != nil && ctx.Err() == nil {
			failed = errors.Join(failed, err)
		}
		cancel()
		public.stop()
	}
	if b.inbound != nil {
		b.inbound.Close()
	}
	if b.fromTeams != nil {
		b.fromTeams.Close()
	}
	b.around.log.Info("stopped")
	return failed
}

// work is what runs beside the servers.
func (b *bot) work() []func(context.Context) error {
	tasks := []func(context.Context) error{b.service.Run, b.housekeeping, b.checkUps, b.sayStopping}
	if b.cfg.Watch.Ping != "" {
		tasks = append(tasks, newPinger(b).run)
	}
	if b.onCall != nil {
		tasks = append(tasks, b.onCall.run)
	}
	if b.slack != nil {
		tasks = append(tasks, b.listenToSlack)
	}
	return tasks
}

// sayStopping says why the process is still there after the signal.
func (b *bot) sayStopping(ctx context.Context) error {
	<-ctx.Done()
	b.around.log.Info("stopping", "waits_for", "the steps under way, at most a minute")
	return nil
}

// housekeeping ends links that nobody signs in to any more and sessions that
// are over, and says that the bot lives, every hour; once a day it puts the head
// of the event chain into the chat.
func (b *bot) housekeeping(ctx context.Context) error {
	var last time.Time
	every(ctx, time.Minute, func() {
		if now := b.around.now(); now.Sub(last) >= time.Hour {
			last = now
			if err := b.signin.Sweep(ctx); err != nil {
				b.around.log.Warn("links_not_swept", "error", err)
			}
			b.sayAlive()
		}
		if err := b.anchor(ctx); err != nil {
			b.around.log.Warn("audit_not_anchored", "error", pim.Explain(err).Message)
		}
	})
	return nil
}

// every does something at once, and then again and again until ctx ends.
func every(ctx context.Context, pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sayAlive says in the log that the bot lives, when PIM was last read and how
// much is open, with the head of the event chain: the log is kept apart from the
// state file.
func (b *bot) sayAlive() {
	said := []any{"pim_read", "not yet", "effects_waiting", b.service.Waiting()}
	if swept := b.service.Swept(); !swept.IsZero() {
		said[1] = swept.UTC().Format(time.RFC3339)
	}
	var open []pim.Request
	err := b.db.View(func(tx *store.Tx) (err error) {
		open, err = tx.OpenRequests()
		return err
	})
	head, err2 := b.db.Head()
	if err = errors.Join(err, err2); err != nil {
		b.around.log.Error("state_not_read", "error", err)
		return
	}
	said = append(said, "open_requests", len(open))
	if head.Seq > 0 {
		said = append(said, "seq", head.Seq, "head", head.Head, "verify", verifyCommand(head))
	}
	b.around.log.Info("alive", said...)
}

// publicHandler is what Slack and browsers reach.
func (b *bot) publicHandler() http.Handler {
	mux := http.NewServeMux()
	door := func(h http.Handler, paths ...string) {
		for _, path := range paths {
			mux.Handle(path, h)
		}
	}
	door(b.signin.Handler(), "/auth/start", "/auth/entra/callback", "/auth/slack/callback")
	if b.inbound != nil && b.cfg.Slack.AppToken.IsZero() {
		door(b.inbound, "/slack/commands", "/slack/interactions", "/slack/events")
	}
	if b.fromTeams != nil {
		door(b.fromTeams, "/api/messages")
	}
	door(http.HandlerFunc(nothingHere), "/")
	return mux
}

// nothingHere is for people who typed the address into a browser, too.
func nothingHere(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "There is nothing here. Elevate is used in the chat: type /elevate there.", http.StatusNotFound)
}

// server is a running HTTP server.
type server struct {
	address string
	stop    func()
}

// startServer serves until stop, which lets requests finish.
func startServer(ctx context.Context, address string, h http.Handler, log *slog.Logger) (*server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", address, err)
	}
	return serveOn(l, h, log), nil //nolint:contextcheck // stopping outlives what is stopped
}

func serveOn(l net.Listener, h http.Handler, log *slog.Logger) *server {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("server_ended", "address", l.Addr().String(), "error", err)
		}
	}()
	return &server{address: l.Addr().String(), stop: func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			log.Warn("server_not_stopped", "address", l.Addr().String(), "error", err)
		}
		<-done
	}}
}
